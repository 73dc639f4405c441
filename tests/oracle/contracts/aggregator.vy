# pragma version 0.4.3
# pragma evm-version paris
"""
A Chainlink aggregator as its readers see it: proxy and aggregator in one.
Round ids are phase * 2**64 + round, as a proxy gives them. Everything can be set, also nonsense.
"""

struct Answer:
    answer: int256
    started_at: uint256
    updated_at: uint256
    answered_in_round: uint80

decimals: public(uint8)
minAnswer: public(int192)
maxAnswer: public(int192)
latest: uint80
rounds: HashMap[uint80, Answer]

@deploy
def __init__(decimals: uint8, lowest: int192, highest: int192):
    self.decimals = decimals
    self.minAnswer = lowest
    self.maxAnswer = highest

@external
@view
def aggregator() -> address:
    return self

@external
def post(round_id: uint80, answer: int256, started_at: uint256, updated_at: uint256):
    self.rounds[round_id] = Answer(
        answer=answer, started_at=started_at, updated_at=updated_at, answered_in_round=round_id
    )
    self.latest = round_id

@internal
@view
def _round(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    found: Answer = self.rounds[round_id]
    assert found.answered_in_round > 0, "No data present"
    return round_id, found.answer, found.started_at, found.updated_at, found.answered_in_round

@external
@view
def getRoundData(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    return self._round(round_id)

@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return self._round(self.latest)
