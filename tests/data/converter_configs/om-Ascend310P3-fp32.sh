#!/bin/sh
# Compiles the networks in this folder with CANN's atc (source its set_env.sh first); edgedet isn't needed.
# Afterwards, with or without CANN: edgedet convert --resume <the bundle's folder>
set -eu
cd "$(dirname "$0")"

atc \
  --framework=5 \
  --model=model_named.onnx \
  --output=model \
  --soc_version=Ascend310P3 \
  --input_format=NCHW \
  --input_shape=image:1,3,320,320 \
  --precision_mode=allow_fp32_to_fp16 \
  >model.log 2>&1 || { cat model.log; exit 1; }
tail -n 1 model.log
