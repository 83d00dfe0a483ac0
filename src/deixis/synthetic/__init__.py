"""A rendered world with exact masks, flow and sentences, to train and test in.

From a seed to a record: ``sampling`` draws a ``scene`` (values only) with ``attributes``, ``shapes`` and a
``background``; ``layers`` and ``render`` turn it into pixels; ``observation`` measures them, ``predicates``
and ``order`` judge, ``grammar`` and ``vocabulary`` find words, ``expressions`` keeps what is proven; then
``world`` makes records, ``benchmark`` fixes the splits, ``write`` saves them.
"""
