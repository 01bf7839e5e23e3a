from keywords.actions import ACTIONS, NOT_DETECTED
from keywords.pack import load_packs, shipped_packs

TABLE = """
child sexual abuse imagery
grooming, incitement or facilitation of sexual acts against children
extreme pornography
criminally racist material and hate crime
incitement to and threats of violence
harassment and stalking
revenge pornography
weapons
drugs
fraud and financial crime
threatening behaviour
extremism and terrorism
discrimination
offensive material that breaches the school's ethos
running a private business
bypassing the filter
infringing copyright
revealing confidential information (personal data, access codes, passwords)
viruses and harmful files
pornography, gambling, drugs as inappropriate material
""".strip().splitlines()


def test_every_action_of_the_policy_has_a_category_or_a_reason():
    shipped = {pack.category for pack in load_packs(shipped_packs()) if pack.language == "en"}
    assert list(ACTIONS) == TABLE
    for action, categories in ACTIONS.items():
        assert set(categories) <= shipped, action
        assert bool(categories) != (action in NOT_DETECTED), action
    assert all(len(reason) > 40 for reason in NOT_DETECTED.values())
