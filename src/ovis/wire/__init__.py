"""JSON-RPC 2.0 over one listener: size framing, STOMP 1.2, WebSocket and HTTP, on TLS, a Unix socket or plain TCP.

Who needs whom (arrows point at what is imported; everything below the line does no I/O):

    listener -> link -> native_session, stomp_session, http, websocket -> dispatch
    connection, blocking (the two clients)
    ---------------------------------------------------------------------------------
    jsonrpc -> nesting      framing      stomp      events      service      limits
"""
