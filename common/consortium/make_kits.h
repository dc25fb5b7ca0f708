// A whole consortium in one call, all kits on one machine: for demonstrations and tests. A real consortium makes each
// site's keys at the site (kit_folder.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/consortium/consortium_folder.h"
#include "common/core/result.h"

namespace synod {

struct Kits {
  std::string consortium;   // the root's folder
  std::string coordinator;  // kits
  std::string first_operator;
  std::map<std::string, std::string> sites;  // by name
};

// Makes FOLDER/consortium and FOLDER/NAME for each site. Every kit knows every member.
Result<Kits> MakeKits(const std::string& folder, const ConsortiumOptions& options,
                      const std::vector<std::string>& sites);
// Makes one more kit for a consortium that is there: of a site, or of another role.
Result<std::string> MakeKit(const std::string& consortium, const std::string& folder, Role role,
                            const std::string& name, std::int64_t now_unix, std::int64_t days = 730);

}  // namespace synod
