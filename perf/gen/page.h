// Results as a page with plots (--html). Pure; any thread.
#pragma once

#include "perf/gen/result.h"
#include "perf/gen/search_result.h"
#include "perf/gen/self_test_result.h"
#include "perf/report/document.h"

namespace warmswap::gen {

report::Document make_page(const RunResult& result, const Verdict& verdict);
report::Document make_page(const SearchResult& result);
report::Document make_page(const SelfTestResult& result);

}  // namespace warmswap::gen
