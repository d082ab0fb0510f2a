"""What covert messages cost: which fields carry bits, and bytes that follow from the formats alone."""

import msgspec

from attacks.experiments import evasion
from attacks.experiments.evasion import (
    EXPERIMENT,
    SAID,
    Evasion,
    Writer,
    _covert,
    _key,
    covert,
    sealed_by_themselves,
)
from escrow import codec, registry
from escrow.crypto import Run, montgomery, running
from escrow.primitives import hpke


def test_covert_bits_are_read_back_and_cost_no_byte_and_none_fit_into_a_field_without_randomness():
    with running(Run(b"covert bits")):
        writer = Writer(registry.schemes()["envelope"])
        honest = writer.send(SAID)
        made = [writer.field(_key()).field for _ in range(2)]
        assert {len(each) for each in made} == {len(honest.field)}
        counts = [covert(writer, b"dk", 4, wanted)[0] for wanted in range(16)]
        assert all(counts)
        assert 4 <= sum(counts) / 16 <= 64
        for scheme in (registry.schemes()["key-table"], again()):
            assert covert(Writer(scheme), b"dk", 12, 4095)[0] == 0


def again():
    return msgspec.structs.replace(registry.schemes()["envelope"], policing="recipient")


def test_super_encryption_costs_one_sealed_text_and_its_names_and_the_recipient_reads_it():
    with running(Run(b"super-encryption")):
        writer = Writer(registry.schemes()["envelope"])
        sealed = sealed_by_themselves(writer).field
        honest, wrapped = writer.send(SAID), writer.send(sealed)
        assert len(wrapped.body) - len(honest.body) == len(sealed) - len(SAID)
        ((to, box),) = codec.decode(sealed, tuple[tuple[bytes, bytes], ...])
        own = writer.reader().identity.agreement
        assert montgomery(to) == own.public
        assert hpke.open_(own, box, b"a program of the users' own") == SAID


def test_a_sampler_that_takes_any_field_is_found_by_the_law_of_tries(monkeypatch):
    with running(Run(b"law")):
        writer = Writer(registry.schemes()["envelope"])
        assert all(figure.agrees for figure in _covert(writer, "honest", 4, 60))
        monkeypatch.setattr(evasion, "covert", lambda *_: (1, 0.0))
        assert not next(_covert(writer, "takes any field", 4, 60)).agrees


def test_every_scheme_is_priced():
    with running(Run(b"all")):
        figures = list(type("Quick", (Evasion,), {"messages": 1, "bits": 1})().run(False, lambda *_: None))
    priced = {figure.quantity.partition(",")[0] for figure in figures}
    assert priced == {name for name, scheme in registry.schemes().items() if not scheme.missing}
    assert EXPERIMENT.bits == 4
