import pytest
from golden_files import BLOCK_DOMAIN, DOMAIN, golden
from hypothesis import given
from values import pools

from ovis.node.storage.formats import sealed_keys
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.keys import Keys
from ovis.node.storage.formats.pool_metadata import DomainStatus, PoolMetadata, put, take


def keys(**changes: str) -> Keys:
    return Keys("test", sealed_keys.read(golden("file_domain_v4.metadata")) | changes)


def test_the_pool_in_a_masters_metadata() -> None:
    assert take(keys()) == PoolMetadata(
        domains={DOMAIN: DomainStatus.ACTIVE, BLOCK_DOMAIN: DomainStatus.ATTACHED},
        master_version=3,
        description="Default",
        spm_id=None,
        spm_version=None,
    )


def test_an_spm() -> None:
    pool = take(keys(POOL_SPM_ID="2", POOL_SPM_LVER="17"))
    assert (pool.spm_id, pool.spm_version) == (2, 17)


@given(pools)
def test_what_is_put_is_taken(pool: PoolMetadata) -> None:
    assert take(Keys("test", put(pool))) == pool


def test_old_spellings_of_a_status() -> None:
    assert take(keys(POOL_DOMAINS=f"'{DOMAIN}':'inactive'")).domains == {DOMAIN: DomainStatus.ATTACHED}
    assert take(keys(POOL_DOMAINS=f"{DOMAIN}:active")).domains == {DOMAIN: DomainStatus.ACTIVE}


@pytest.mark.parametrize("listed", [f"{DOMAIN}", f"{DOMAIN}:", "x:Active", ",", f"{DOMAIN}:Active,{DOMAIN}:Active"])
def test_a_broken_list_of_domains_is_refused(listed: str) -> None:
    with pytest.raises(Broken) as refusal:
        take(keys(POOL_DOMAINS=listed))
    assert refusal.value.where == "POOL_DOMAINS"


def test_no_host_is_below_minus_one() -> None:
    with pytest.raises(Broken):
        take(keys(POOL_SPM_ID="-2"))
