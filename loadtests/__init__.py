"""Load for one Model, in the shape of its own requests, and the verdict whether it kept its promises under it.

    options     what is asked for on the command line            asking     one request over HTTP or gRPC
    scenario    the same in a file, load_shapes part of it       arrivals   when requests are due
    payloads    what is sent, not always the same                parts      pieces of a load that changes
    recording   every answer, exactly, in bounded memory         judging    always-valid tests against the objectives
    reports     numbers, sentence and pictures, for people and programs

`locustfile.py` puts them together for Locust.
"""
