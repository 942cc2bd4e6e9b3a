// Reads a Document from JSON, so that programs in other languages can describe a report. Only what is marked required
// must be there; everything else may be left out, and a field that is not known is refused by name.
//
//   {
//     "title": "Forwarding against testpmd",                                   required
//     "subtitle": "median of 10 alternating pairs",
//     "footer": "2 vCPUs, DPDK 22.11.11",
//     "facts": [{"label": "Ratio", "value": "0.71", "note": "MAD 0.9 %", "verdict": "ok"}],
//     "sections": [{
//       "heading": "Throughput",                                               required
//       "verdict": "warn",                       none | ok | warn | fail
//       "verdict_text": "noisy: 4 % steal",
//       "prose": ["A paragraph.", "Another one."],
//       "tables": [{
//         "caption": "Pairs",
//         "columns": ["pair", "Mpps"],                                         required
//         "alignments": ["left", "right"],       left | right | center
//         "rows": [["1", 4.21], ["2", null]]     text or numbers; null is an empty cell; as long as "columns"
//       }],
//       "plots": [{
//         "kind": "line",                        line | step | bar | scatter     required
//         "title": "Cost by number of flows",                                  required
//         "note": "lower is better",
//         "x": {"label": "flows", "scale": "log10"},        linear | log10 | percentile
//         "y": {"label": "cost", "unit": "cycles", "from_zero": true},
//         "series": [{"name": "warmswap", "points": [[1, 31], [1000, null], [1e6, 33, 31, 36]]}],
//         "references": [{"value": 40, "label": "promise"}]
//       }, {
//         "kind": "bar",
//         "title": "Throughput",
//         "categories": ["64 B", "512 B"],                                     required for bars, and only there
//         "y": {"unit": "pps"},
//         "series": [{"name": "warmswap", "values": [3.1e6, [2.9e6, 2.8e6, 3.0e6]]}]
//       }]
//     }]
//   }
//
// A point is [x, y] or [x, y, low, high]; a bar's value y or [y, low, high]. null is a value that is not known. Points
// go with line, step and scatter, values with bar, as many as there are categories. JSON itself is read strictly
// (controlplane/api/strict_json.h).
#pragma once

#include <string_view>

#include "dataplane/contract/result.h"
#include "perf/report/document.h"

namespace warmswap::report {

/// The error is one sentence with the path to the first fault: `sections[0].plots[1].kind: expected …, got …`.
contract::Result<Document> read_document(std::string_view json);

}  // namespace warmswap::report
