"""Builds: from an entry, a file or a folder to a Triton model repository that is known to answer.

    source       what a path is: a lone .onnx, OpenVINO's IR, an entry folder, a Triton repository
    inspect      names, types and shapes from the graph, without trusting the file (inspect_ir: of OpenVINO's IR)
    scalars      rank-0 tensors become one-element tensors: Triton serves no scalars
    evidence     in a process of its own: a sample that works, batching by trying, quality against eval.npz
    triton       config.pbtxt, written from the evidence or completed from the author's
    server       a real Triton on this machine (its files: environment)
    answers      a model's own answers, from a process of its own
    proof        one inference through Triton, compared with the runtime's own answer
    artifact     all of that in order; publish puts the result into the store

    optimize     smaller and faster variants, judged on eval.npz; timed by measure (worker, probe, runtimes, quiet)
    runtimes     a model opened: onnxruntime, OpenVINO (openvino_library), TensorRT (tensorrt_engine, cuda_runtime)
    export       one archive for machines without Modelyard, which proves itself (export_archive, export_formats)

Whatever does not depend on a Model's name is a *part*, made once per entry and shared by all its builds.
"""
