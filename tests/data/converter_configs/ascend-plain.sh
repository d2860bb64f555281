#!/bin/sh
# Converts the networks in this folder with MindSpore Lite's converter_lite; needs nothing of edgedet.
# Afterwards, with or without the converter: edgedet convert --resume <the bundle's folder>
set -eu
cd "$(dirname "$0")"
if [ -n "${MSLITE_HOME:-}" ]; then
  PATH="$MSLITE_HOME/tools/converter/converter:$PATH"
  LD_LIBRARY_PATH="$MSLITE_HOME/tools/converter/lib:$MSLITE_HOME/runtime/lib:${LD_LIBRARY_PATH:-}"
  export PATH LD_LIBRARY_PATH
fi

converter_lite \
  --fmk=MINDIR \
  --modelFile=model.mindir \
  --outputFile=model_om \
  --saveType=MINDIR \
  --optimize=ascend_oriented \
  --configFile=model.cfg \
  >model.log 2>&1 || { cat model.log; exit 1; }
tail -n 1 model.log
