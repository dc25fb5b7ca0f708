// The text of measured_results.csv; the build writes its definition.
#pragma once

#include <string_view>

namespace synod {

extern const std::string_view kMeasuredText;

}  // namespace synod
