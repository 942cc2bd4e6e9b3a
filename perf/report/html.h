// A Document as one page of HTML: no script, no file beside it, nothing loaded from elsewhere. Follows the reader's
// light or dark setting, prints, and can be read aloud. Pure; any thread.
#pragma once

#include <string>

#include "perf/report/document.h"

namespace warmswap::report {

std::string html_page(const Document& document);

}  // namespace warmswap::report
