// Who somebody is in a consortium: one URI, the only subject alternative name of their certificate.
//
//   synod://CONSORTIUM/ROLE/NAME      names: 1 to 63 of a-z 0-9 - , beginning with a letter or digit
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/result.h"

namespace synod {

// The numbers are on the wire; they never change.
enum class Role : std::uint8_t { kCoordinator = 1, kSite = 2, kViewer = 3, kOperator = 4, kAdmin = 5 };
std::string_view RoleName(Role role);  // "coordinator", "site", "viewer", "operator", "admin"
Result<Role> RoleFromName(std::string_view name);

struct Identity {
  std::string consortium;
  Role role = Role::kSite;
  std::string name;
  auto operator<=>(const Identity&) const = default;

  std::string Uri() const;
  // Strict: one spelling only.
  static Result<Identity> FromUri(std::string_view uri);
};

// Whether `name` may name a consortium or a member.
Status CheckName(std::string_view name);

}  // namespace synod
