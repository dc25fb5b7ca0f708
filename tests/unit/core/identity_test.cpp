#include "common/core/identity.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TEST(Identity, IsReadBackFromItsUri) {
  const Identity identity{"heart", Role::kSite, "va-long-beach"};
  EXPECT_EQ(identity.Uri(), "synod://heart/site/va-long-beach");
  const Result<Identity> read = Identity::FromUri(identity.Uri());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, identity);
}

TEST(Identity, HasOneSpellingOnly) {
  for (const char* uri :
       {"", "synod://", "synod://heart", "synod://heart/site", "synod://heart/site/", "synod:///site/a",
        "Synod://heart/site/a", "synod://heart/Site/a", "synod://heart/site/A", "synod://heart/site/a/",
        "synod://heart/site/a b", "synod://heart/root/a", "synod://heart/site/-a", "https://heart/site/a",
        "synod://heart//site/a", "synod://heart/site/a?x", "synod://heart/site/a\n"}) {
    EXPECT_FALSE(Identity::FromUri(uri).ok()) << uri;
  }
  EXPECT_FALSE(Identity::FromUri(std::string("synod://heart/site/a\0b", 22)).ok());
}

TEST(Identity, NamesHaveAtMost63Characters) {
  EXPECT_TRUE(CheckName(std::string(63, 'a')).ok());
  EXPECT_FALSE(CheckName(std::string(64, 'a')).ok());
  EXPECT_FALSE(CheckName("").ok());
}

TEST(Identity, EveryRoleIsReadBackFromItsName) {
  for (const Role role : {Role::kCoordinator, Role::kSite, Role::kViewer, Role::kOperator, Role::kAdmin}) {
    const Result<Role> read = RoleFromName(RoleName(role));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, role);
  }
}

}  // namespace
}  // namespace synod
