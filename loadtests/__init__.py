"""Load for one Model, in the shape of its own requests, and the verdict whether it kept its promises under it.

    options     what is asked for on the command line            asking     one request over HTTP or gRPC
    scenario    the same in a file, load_shapes part of it       arrivals   when requests are due
    recording   every answer, exactly, in bounded memory         judging    always-valid tests against the objectives
    report      numbers and the sentence, for people and programs

`locustfile.py` puts them together for Locust.
"""
