from setup_tree import Tree

from ovis.node.setup.made_certificates import MadeCertificates
from ovis.node.setup.record import Records


def test_certificates_are_made_once_and_again_for_a_further_name(tree: Tree) -> None:
    records = Records(tree)
    step = MadeCertificates("certificates", "", 36, 36)
    step.apply(tree, records)
    path = tree.path("/etc/ovis/pki/node.pem")
    made = path.read_bytes()
    step.apply(tree, records)
    assert path.read_bytes() == made
    named = MadeCertificates("certificates", "", 36, 36, ["10.0.0.1", "me.example"])
    assert named.missing(tree, records) == [f"name {n} in /etc/ovis/pki/node.pem" for n in ("10.0.0.1", "me.example")]
    named.apply(tree, records)
    assert named.missing(tree, records) == []
    assert step.missing(tree, records) == []
