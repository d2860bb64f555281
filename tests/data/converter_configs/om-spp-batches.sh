#!/bin/sh
# Compiles the networks in this folder with CANN's atc (source its set_env.sh first); edgedet isn't needed.
# Afterwards, with or without CANN: edgedet convert --resume <the bundle's folder>
set -eu
cd "$(dirname "$0")"

atc \
  --framework=5 \
  --model=trunk_named.onnx \
  --output=trunk \
  --soc_version=Ascend310 \
  --input_format=NCHW \
  --input_shape=image:-1,3,224,224 \
  --dynamic_batch_size=1,64 \
  --precision_mode=allow_fp32_to_fp16 \
  >trunk.log 2>&1 || { cat trunk.log; exit 1; }
tail -n 1 trunk.log

atc \
  --framework=5 \
  --model=head_named.onnx \
  --output=head \
  --soc_version=Ascend310 \
  --input_format=ND \
  --input_shape=pooled:-1,12800 \
  '--dynamic_dims=1;64' \
  --precision_mode=allow_fp32_to_fp16 \
  >head.log 2>&1 || { cat head.log; exit 1; }
tail -n 1 head.log
