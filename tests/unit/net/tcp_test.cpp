// Addresses, lookups, and a machine without room for one more connection.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/net/name_lookup.h"
#include "common/net/tcp_listener.h"
#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

TEST(TcpAddress, TakesHostAndPortAndNothingElse) {
  for (const char* text : {"127.0.0.1:80", "coordinator.example:65535", "[::1]:7443", "*:0"}) {
    EXPECT_TRUE(TcpAddress::Parse(text).ok()) << text;
  }
  for (const char* text :
       {"", ":80", "host", "host:", "host:65536", "host:-1", "host:80x", "::1:80", "[]:80", "[::1:80"}) {
    EXPECT_FALSE(TcpAddress::Parse(text).ok()) << text;
  }
  EXPECT_EQ(TcpAddress::Parse("[::1]:7443")->host, "::1");
}

TEST(NameLookup, GivesNumbersAtOnceAndNamesInTime) {
  const auto at_once = NameLookup(*TcpAddress::Parse("127.0.0.1:80")).Take();
  ASSERT_TRUE(at_once.has_value() && at_once->ok());
  EXPECT_EQ((*at_once)->size(), 1u);
  NameLookup lookup(*TcpAddress::Parse("localhost:80"));
  std::optional<Result<std::vector<SocketAddress>>> found;
  for (int i = 0; i < 6000 && !found; ++i) {
    usleep(10000);
    found = lookup.Take();
  }
  ASSERT_TRUE(found.has_value());
  ASSERT_TRUE(found->ok()) << found->error().message;
  EXPECT_FALSE((*found)->empty());
}

TEST(TcpListener, SaysWhyItCannotListen) {
  auto first = TcpListener::Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  const std::string address = "127.0.0.1:" + std::to_string(*first->BoundPort());
  const auto second = TcpListener::Listen(address);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("cannot listen on " + address), std::string::npos) << second.error().message;
}

// Leaves one descriptor for this process, and gives the others back in the end.
class OneDescriptorLeft {
 public:
  OneDescriptorLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next + 1);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~OneDescriptorLeft() { setrlimit(RLIMIT_NOFILE, &before_); }
  OneDescriptorLeft(const OneDescriptorLeft&) = delete;
  OneDescriptorLeft& operator=(const OneDescriptorLeft&) = delete;

 private:
  rlimit before_{};
};

TEST(Strangers, WhoUsesUpTheDescriptorsGivesWayAndNoMemberNotices) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  // Before, too: a sanitizer that meets something for the first time may need descriptors of its own.
  ASSERT_TRUE(site.client->Send({Answer{}, PayloadOf(2 * limits::kChunkBytes)}).ok());
  ASSERT_TRUE(party.Until([&] { return party.server.heard.messages.size() == 1; }));
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 5; ++i) sockets.push_back(std::make_unique<RawSocket>(party.server.server->port()));
  {
    const OneDescriptorLeft one;
    // Each of them takes the last one in turn.
    ASSERT_TRUE(party.Until([&] { return party.server.heard.closed.size() == 4; }));
    EXPECT_NE(party.server.heard.LastError().find("gave way"), std::string::npos) << party.server.heard.LastError();
    ASSERT_TRUE(site.client->Send({Answer{}, PayloadOf(2 * limits::kChunkBytes)}).ok());
    ASSERT_TRUE(party.Until([&] { return party.server.heard.messages.size() == 2; }));
  }
  party.AddOpenSite("site-b");
}

}  // namespace
}  // namespace synod
