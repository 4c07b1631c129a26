"""What the journal and the process say of themselves comes again."""

from toy_desk import play, record


def test_the_journal_and_the_process_are_read_again():
    async def work(toy):
        journal, vitals = toy.tapped.journal, toy.tapped.vitals
        toy.decide([journal.records, journal.durable, journal.lag_ms, journal.failed, journal.view_fault])
        toy.decide(
            [
                journal.flush(1.0),
                journal.close(1.0),
                vitals.lag(),
                vitals.memory_mb(),
                vitals.instant(),
                vitals.restarts(),
            ]
        )

    player = play(record(work), work)
    assert [one.decision for one in player.here] == [one.decision for one in player.there]
    assert player.here[0].decision[1] == "[0, 0, 0.5, None, None]"
