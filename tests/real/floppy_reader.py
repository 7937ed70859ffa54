"""A boot sector for a guest without an operating system: it says on its serial port what is in the floppy drive.

Again and again it reads one sector (the one at `SECTOR` of the first track) through the BIOS and sends it, after a line
`READ`. What it says when there is no medium is `NONE`. Written for this test; 16-bit code, assembled by hand.
"""

SECTOR = 1
ORIGIN = 0x7C00
BUFFER = 0x8000


def boot_sector() -> bytes:
    code = bytearray()
    code += b"\xfa\x31\xc0\x8e\xd8\x8e\xc0\x8e\xd0\xbc\x00\x7c\xfb"  # cli; ds = es = ss = 0; sp = 7c00; sti
    again = len(code)
    code += b"\x31\xc0\x31\xd2\xcd\x13"  # reset drive 0: a changed medium is noticed
    code += b"\xb8\x01\x02\xbb" + BUFFER.to_bytes(2, "little")  # ax = read 1 sector; bx = buffer
    code += b"\xb9" + SECTOR.to_bytes(2, "little") + b"\x31\xd2\xcd\x13"  # cx = track 0, sector; dx = head 0, drive 0
    code += b"\x72\x00"  # jc none
    jump_none = len(code) - 1
    code += b"\xbe\x00\x00\xb9\x06\x00\xe8\x00\x00"  # si = text, cx = 6, call send
    text_read, call_one = len(code) - 8, len(code) - 2
    code += b"\xbe" + BUFFER.to_bytes(2, "little") + b"\xb9\x00\x02\xe8\x00\x00"  # si = buffer, cx = 512, call send
    call_two = len(code) - 2
    code += b"\xeb\x00"  # jmp pause
    jump_pause = len(code) - 1
    none = len(code)
    code[jump_none] = none - (jump_none + 1)
    code += b"\xbe\x00\x00\xb9\x06\x00\xe8\x00\x00"  # si = text, cx = 6, call send
    text_none, call_three = len(code) - 8, len(code) - 2
    pause = len(code)
    code[jump_pause] = pause - (jump_pause + 1)
    code += b"\xb4\x86\xb9\x03\x00\x31\xd2\xcd\x15"  # wait 0x30000 microseconds
    code += b"\xeb" + (again - (len(code) + 2)).to_bytes(1, "little", signed=True)  # jmp again
    send = len(code)
    code += b"\xba\xfd\x03\xec\xa8\x20\x74\xfb"  # wait until the port takes a byte (in al, 3fd; test 20; jz)
    code += b"\xac\xba\xf8\x03\xee"  # lodsb; out 3f8
    code += b"\xe2" + (send - (len(code) + 2)).to_bytes(1, "little", signed=True) + b"\xc3"  # loop send; ret
    for place, text in ((text_read, b"\nREAD\n"), (text_none, b"\nNONE\n")):
        code[place : place + 2] = (ORIGIN + len(code)).to_bytes(2, "little")
        code += text
    for place in (call_one, call_two, call_three):
        code[place : place + 2] = (send - (place + 2)).to_bytes(2, "little", signed=True)
    assert len(code) <= 446
    return bytes(code).ljust(510, b"\0") + b"\x55\xaa"
