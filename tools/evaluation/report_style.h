// The style sheet of a report.
#pragma once

#include <string_view>

namespace synod {

std::string_view ReportStyle();

}  // namespace synod
