"""A second rendered world, nearer to real video: articulated figures, natural scenery, a moving camera.

From a seed to a record: ``scene`` draws values (figures of ``people``, ``animals``, ``vehicles`` ... on the
``scenery`` of a ``setting``, ``paths`` and a ``camera``); ``render`` turns them into pixels by way of
``sprites``, ``surfaces`` and the ``sensor``; ``observation`` measures what is seen, ``expressions`` says
what is proven; ``benchmark`` fixes the splits.
"""
