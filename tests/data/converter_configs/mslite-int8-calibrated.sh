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
  --modelFile=trunk.mindir \
  --outputFile=trunk \
  --saveType=MINDIR_LITE \
  --optimize=general \
  --inputDataFormat=NHWC \
  --fp16=off \
  --configFile=trunk.cfg \
  >trunk.log 2>&1 || { cat trunk.log; exit 1; }
tail -n 1 trunk.log

converter_lite \
  --fmk=MINDIR \
  --modelFile=head.mindir \
  --outputFile=head \
  --saveType=MINDIR_LITE \
  --optimize=general \
  --inputDataFormat=NHWC \
  --fp16=off \
  --configFile=head.cfg \
  >head.log 2>&1 || { cat head.log; exit 1; }
tail -n 1 head.log
