"""How PyTorch's ops are written in ONNX's version 11: to come with the exporter."""
