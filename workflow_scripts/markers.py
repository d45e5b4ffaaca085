"""The marker pieces of QA inputs (TyDi QA baseline): `[Q]` before the question, `[ContextId=N]` before passage N."""

QUESTION = "[Q]"
PASSAGES = tuple(f"[ContextId={number}]" for number in range(46))
MARKERS = (QUESTION, *PASSAGES)
