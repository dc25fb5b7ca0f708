// The views of a site as text for a terminal.
#pragma once

#include <string>

#include "common/core/canonical_json.h"

namespace synod {

std::string StatusText(const Json& status);
std::string RunsText(const Json& runs);
std::string ExplainText(const Json& view);
std::string RunDecidedText(const Json& run);
std::string DatasetsText(const Json& datasets);
std::string PolicyText(const Json& policy);
std::string PolicyCheckText(const Json& check);
std::string LedgerText(const Json& ledger);
std::string RestorationText(const Json& restoration);
std::string LedgerVerifiedText(const Json& verified);

}  // namespace synod
