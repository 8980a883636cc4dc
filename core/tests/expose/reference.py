"""Reads pages with the reference parser of OpenMetrics: each comes as a line with its length in bytes, and then
the page. Writes a line of JSON for each: its samples, or what is wrong with it."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families


def sample(read):
    exemplar = read.exemplar
    if exemplar is not None:
        exemplar = [exemplar.labels, repr(float(exemplar.value)), exemplar.timestamp and str(exemplar.timestamp)]
    return [read.name, read.labels, repr(float(read.value)), exemplar]


for line in sys.stdin.buffer:
    page = sys.stdin.buffer.read(int(line)).decode()
    try:
        families = list(text_string_to_metric_families(page))
        answer = [[family.type, [sample(read) for read in family.samples]] for family in families]
    except Exception as problem:
        answer = f"{type(problem).__name__}: {problem}"
    print(json.dumps(answer), flush=True)
