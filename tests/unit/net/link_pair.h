// Two links that talk through memory, so that a test cuts them at any byte and counts what went where.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/net/link.h"
#include "tests/unit/net/net_party.h"

namespace synod {

class LinkPair {
 public:
  // One process: what outlives its links, the link it has now, what it heard.
  struct End {
    Link::Shared shared;
    std::unique_ptr<Link> link;
    std::vector<Envelope> heard;
    std::vector<LinkClosed> closed;
    Bytes under_way;               // given out by the link and not carried yet
    std::uint64_t sent_bytes = 0;  // encrypted, of all links

    void TakeSteps() {
      for (LinkStep& step : link->TakeSteps()) {
        if (auto* envelope = std::get_if<Envelope>(&step)) heard.push_back(std::move(*envelope));
        if (auto* ended = std::get_if<LinkClosed>(&step)) closed.push_back(std::move(*ended));
      }
    }
  };

  LinkPair() {
    server.shared.rules = RulesFor(kit, {Role::kSite});
    client.shared.rules = RulesFor(kit, {Role::kCoordinator});
    server.shared.admit = [](const Identity&, const Hello&) { return std::optional<GoodbyeReason>(); };
  }

  // New links of the coordinator and this site, open.
  void Connect(const std::string& site = "site-a") {
    server.link =
        std::make_unique<Link>(Context(kit.Coordinator(), TlsSide::kServer), TlsSide::kServer, server.shared, clock);
    client.link =
        std::make_unique<Link>(Context(kit.Site(site), TlsSide::kClient), TlsSide::kClient, client.shared, clock);
    server.link->Start();
    client.link->Start();
    Pump();
    ASSERT_TRUE(server.link->open() && client.link->open());
  }

  // Carries bytes both ways until there are none, or `most` have been carried: the last piece may end anywhere.
  void Pump(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    bool moved = true;
    while (moved && most > 0) {
      const bool up = Carry(client, server, most);
      const bool down = Carry(server, client, most);
      moved = up || down;
    }
  }

  void Cut() {
    for (End* end : {&server, &client}) {
      end->link->ConnectionLost();
      end->TakeSteps();
      end->link.reset();
      end->under_way.clear();
    }
  }

  TestClock clock;
  NetKit kit;
  End server;
  End client;

 private:
  static std::shared_ptr<const TlsContext> Context(const TlsFiles& files, TlsSide side) {
    auto context = TlsContext::Load(files, side);
    EXPECT_TRUE(context.ok());
    return *context;
  }
  static bool Carry(End& from, End& to, std::uint64_t& most) {
    if (most == 0 || (from.under_way.empty() && !from.link->NextOutput(from.under_way))) return false;
    const std::size_t size = std::min<std::uint64_t>(most, from.under_way.size());
    const Bytes bytes(from.under_way.begin(), from.under_way.begin() + static_cast<std::ptrdiff_t>(size));
    from.under_way.erase(from.under_way.begin(), from.under_way.begin() + static_cast<std::ptrdiff_t>(size));
    most -= size;
    from.sent_bytes += size;
    to.link->Receive(bytes);
    from.TakeSteps();
    to.TakeSteps();
    return true;
  }
};

}  // namespace synod
