// Where a report may lie: never beside a generator. A generator file is published, a report holds statistics of real
// data; one folder with both invites copying the one with the other.
#pragma once

#include <string>

#include "common/core/result.h"

namespace synod {

enum class RealData { kPrivate, kPublic };

// Fails (kRefused) if the folder of `path` holds a *.synod file and the real data is private; kBadInput if there is no
// such folder or it cannot be read.
Status CheckReportPlace(const std::string& path, RealData real_data);

}  // namespace synod
