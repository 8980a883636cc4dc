"""What texts of the formats in docs/openapi.yaml look like."""

import schemathesis
from hypothesis import strategies as st

NAME = st.from_regex(r"\A[a-zA-Z_:][a-zA-Z0-9_:]{0,9}\Z")
LABEL = st.from_regex(r"\A[a-z_][a-z0-9]{0,9}\Z").filter(lambda label: not label.startswith("__"))
TEXT = st.text(st.characters(exclude_characters='"\\\n', exclude_categories=["Cs"]), max_size=9)


def matchers(signs):
    matcher = st.tuples(LABEL, st.sampled_from(signs), TEXT.filter(lambda text: text.isalnum()))
    listed = st.lists(matcher.map(lambda parts: '%s%s"%s"' % parts), max_size=3)
    return listed.map(lambda matchers: "{" + ",".join(matchers) + "}")


SELECTOR = st.builds(lambda name, rest: name + rest, NAME, matchers(["=", "!=", "=~", "!~"]))
CURSOR = st.builds(lambda name, rest: name + rest, NAME, matchers(["="]))

schemathesis.openapi.format("selector", SELECTOR)
schemathesis.openapi.format("series-cursor", CURSOR)
