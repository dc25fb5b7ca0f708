#include "common/core/identity.h"

#include <algorithm>
#include <array>

namespace synod {
namespace {

constexpr std::string_view kScheme = "synod://";
constexpr std::size_t kMaxNameBytes = 63;
constexpr std::array kRoles = {Role::kCoordinator, Role::kSite, Role::kViewer, Role::kOperator, Role::kAdmin};

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kCoordinator:
      return "coordinator";
    case Role::kSite:
      return "site";
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kAdmin:
      return "admin";
  }
  return "unknown";
}

Result<Role> RoleFromName(std::string_view name) {
  for (const Role role : kRoles) {
    if (RoleName(role) == name) return role;
  }
  return BadInput("there is no such role", "roles are coordinator, site, viewer, operator and admin");
}

Status CheckName(std::string_view name) {
  const bool form = !name.empty() && name.size() <= kMaxNameBytes && name.front() != '-' &&
                    std::all_of(name.begin(), name.end(), IsNameByte);
  if (form) return {};
  return BadInput("a name has 1 to 63 of the characters a-z, 0-9 and -, and does not begin with -");
}

std::string Identity::Uri() const {
  std::string uri(kScheme);
  uri.append(consortium).append("/").append(RoleName(role)).append("/").append(name);
  return uri;
}

Result<Identity> Identity::FromUri(std::string_view uri) {
  const Error wrong = BadInput("an identity has the form synod://CONSORTIUM/ROLE/NAME");
  if (!uri.starts_with(kScheme)) return wrong;
  uri.remove_prefix(kScheme.size());
  const std::size_t first = uri.find('/');
  if (first == std::string_view::npos) return wrong;
  const std::size_t second = uri.find('/', first + 1);
  if (second == std::string_view::npos) return wrong;
  Identity identity;
  identity.consortium = uri.substr(0, first);
  identity.name = uri.substr(second + 1);
  SYNOD_ASSIGN_OR_RETURN(identity.role, RoleFromName(uri.substr(first + 1, second - first - 1)));
  SYNOD_RETURN_IF_ERROR(CheckName(identity.consortium));
  SYNOD_RETURN_IF_ERROR(CheckName(identity.name));
  return identity;
}

}  // namespace synod
