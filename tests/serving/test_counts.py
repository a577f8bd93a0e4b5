"""What a server counts is its own, and Prometheus can read it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from handbook.serving.counts import PARTS, Counts


def test_two_servers_in_a_process_count_apart_and_prometheus_reads_both() -> None:
    one, other = Counts("a version 1"), Counts('b "version" 2')
    one.requests.labels(200).inc()
    for part in PARTS:
        one.seconds[part].observe(0.002)
    one.batch.observe(16)
    found = {family.name: family for family in text_string_to_metric_families(one.text().decode())}
    assert found["handbook_requests"].samples[0].value == 1
    parts = {each.labels["part"] for each in found["handbook_seconds"].samples}
    assert parts == set(PARTS)
    assert found["handbook_model_info"].samples[0].labels == {"model": "a version 1"}
    names = {family.name: family for family in text_string_to_metric_families(other.text().decode())}
    assert not [each for each in names["handbook_requests"].samples if each.value]
    assert names["handbook_model_info"].samples[0].labels == {"model": 'b "version" 2'}
