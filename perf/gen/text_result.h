// Results for people: tables in plain text. Pure; any thread.
#pragma once

#include <ostream>
#include <string>

#include "perf/gen/result.h"
#include "perf/gen/search_result.h"
#include "perf/gen/self_test_result.h"

namespace warmswap::gen {

void print_result(std::ostream& out, const RunResult& result, const Verdict& verdict);
void print_search(std::ostream& out, const SearchResult& result);
void print_self_test(std::ostream& out, const SelfTestResult& result);

/// "1.25 µs", "40 ns", "3.2 ms".
std::string format_ns(double nanoseconds);
/// 12345678 → "12 345 678".
std::string format_count(uint64_t count);

}  // namespace warmswap::gen
