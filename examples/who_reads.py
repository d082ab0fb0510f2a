"""Who reads text 5 under a split key, and how two of its agents do it.

Run it with `python examples/who_reads.py`; it takes some three seconds.
"""

import attacks as lab

play = lab.play("split-key", days=5, messages=24)
text = play.text(5)

print(f"{text!r} is opened by")
for coalition in text.readers():
    print(f"  {coalition}")

TWO, ONE = "agent-1@3, agent-2@3", "agent-1@3"  # one evening each; `agent-1` alone means every evening
print(f"{TWO} open {len(play.opened_by(TWO))} of {len(play.texts)} texts, {ONE} opens {len(play.opened_by(ONE))}")
print()
print(text.derivation(TWO))
