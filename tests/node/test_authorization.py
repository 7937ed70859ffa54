import os
import pwd

from ovis.node.authorization import Authorization
from ovis.wire.identity import PeerIdentity
from ovis.wire.service import Access

NOBODY = pwd.getpwnam("nobody").pw_uid


def local(uid: int) -> PeerIdentity:
    return PeerIdentity("unix", "/s", f"uid:{uid}", uid=uid)


def test_root_and_the_agents_own_user_may_do_everything() -> None:
    assert Authorization({})(local(0)) == frozenset(Access)
    assert Authorization({})(local(os.geteuid())) == frozenset(Access)


def test_configured_user_gets_what_is_granted_beside_the_default() -> None:
    allowed = Authorization({"nobody": ["operate"]})(local(NOBODY))
    assert Access.OPERATE in allowed
    assert Access.ADMINISTER not in allowed


def test_other_user_gets_no_more_than_the_default() -> None:
    assert Authorization({"daemon": ["administer"]})(local(NOBODY)) == Authorization({})(local(NOBODY))


def test_grants_are_for_the_socket_only() -> None:
    far = PeerIdentity("tls", "1.2.3.4:5", "nobody", uris=("urn:ovis:access:observe",), uid=None)
    assert Authorization({"nobody": ["administer"]})(far) == frozenset({Access.OBSERVE})


def test_user_without_a_name_is_no_error() -> None:
    assert Authorization({"nobody": ["operate"]})(local(4_000_000)) == Authorization({})(local(4_000_000))
