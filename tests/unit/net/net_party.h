// A server, clients and what they heard, driven together by one loop of a test.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "common/net/link_client.h"
#include "common/net/link_server.h"
#include "tests/unit/net/net_kit.h"

namespace synod {

// What one end heard.
struct Heard {
  std::vector<PeerOpened> opened;
  std::vector<PeerMessage> messages;
  std::vector<PeerClosed> closed;

  void Add(std::vector<LinkEvent> events) {
    for (LinkEvent& event : events) {
      if (auto* open = std::get_if<PeerOpened>(&event)) opened.push_back(std::move(*open));
      if (auto* message = std::get_if<PeerMessage>(&event)) messages.push_back(std::move(*message));
      if (auto* close = std::get_if<PeerClosed>(&event)) closed.push_back(std::move(*close));
    }
  }
  std::string LastError() const { return closed.empty() ? "" : closed.back().error.message; }
  std::optional<GoodbyeReason> LastReason() const { return closed.empty() ? std::nullopt : closed.back().reason; }
};

// The rules of an end that takes these roles and payloads of up to `payload_bytes`.
inline LinkRules RulesFor(const NetKit& kit, std::set<Role> roles, std::uint64_t payload_bytes = 64u << 20) {
  LinkRules rules;
  rules.check_peer = [root = kit.root(), roles = std::move(roles)](const X509Certificate& leaf) -> Status {
    SYNOD_RETURN_IF_ERROR(leaf.CheckIssuedBy(root));
    if (!roles.contains(leaf.facts().identity.role)) return Refused("the role may not connect here");
    return {};
  };
  rules.payload_limit = [payload_bytes](const Identity&, const Message&) { return payload_bytes; };
  rules.trust_numbers = [] { return std::pair<std::uint64_t, std::uint64_t>(3, 1); };
  return rules;
}

struct ServerEnd {
  std::unique_ptr<LinkServer> server;
  Heard heard;

  static ServerEnd Listen(const Clock& clock, TlsFiles files, LinkRules rules, std::uint16_t port = 0) {
    LinkServer::Settings settings{"127.0.0.1:" + std::to_string(port), std::move(files), std::move(rules)};
    auto server = LinkServer::Listen(std::move(settings), clock);
    EXPECT_TRUE(server.ok()) << (server.ok() ? "" : server.error().message);
    return {std::move(*server), {}};
  }
  PeerId PeerNamed(const std::string& name) const {
    for (auto it = heard.opened.rbegin(); it != heard.opened.rend(); ++it) {
      if (it->identity.name == name) return it->peer;
    }
    return 0;
  }
};

struct ClientEnd {
  std::unique_ptr<LinkClient> client;
  Heard heard;

  static ClientEnd Connect(const Clock& clock, TlsFiles files, LinkRules rules, std::uint16_t port,
                           bool reconnect = false) {
    LinkClient::Settings settings{"127.0.0.1:" + std::to_string(port), std::move(files), std::move(rules), reconnect};
    auto client = LinkClient::Create(std::move(settings), clock);
    EXPECT_TRUE(client.ok()) << (client.ok() ? "" : client.error().message);
    return {std::move(*client), {}};
  }
};

// The usual party: one server, clients that are sites, all in one thread.
class Party {
 public:
  explicit Party(std::uint64_t payload_bytes = 64u << 20) : payload_bytes_(payload_bytes) {
    server = ServerEnd::Listen(clock, kit.Coordinator(), ServerRules());
  }

  LinkRules ServerRules() { return RulesFor(kit, {Role::kSite, Role::kOperator}, payload_bytes_); }
  LinkRules ClientRules() { return RulesFor(kit, {Role::kCoordinator}, payload_bytes_); }
  ClientEnd& AddClient(TlsFiles files, bool reconnect = false) {
    clients.push_back(std::make_unique<ClientEnd>(
        ClientEnd::Connect(clock, std::move(files), ClientRules(), server.server->port(), reconnect)));
    return *clients.back();
  }
  ClientEnd& AddSite(const std::string& name, bool reconnect = false) { return AddClient(kit.Site(name), reconnect); }
  // A site that has opened its link.
  ClientEnd& AddOpenSite(const std::string& name, bool reconnect = false) {
    ClientEnd& client = AddSite(name, reconnect);
    EXPECT_TRUE(Until([&] { return client.client->open() && server.PeerNamed(name) != 0; }))
        << client.heard.LastError() << " / " << server.heard.LastError();
    return client;
  }

  void Step() {
    if (server.server) server.heard.Add(server.server->Advance());
    for (const auto& client : clients) client->heard.Add(client->client->Advance());
  }
  // Drives all until `done`; false if that takes longer than a minute.
  bool Until(const std::function<bool()>& done, double seconds = 60.0) {
    const SystemClock real;
    const double end = real.MonotonicSeconds() + seconds;
    while (real.MonotonicSeconds() < end) {
      Step();
      if (done()) return true;
      Wait(1);
    }
    return false;
  }
  void For(double seconds) {
    static_cast<void>(Until([] { return false; }, seconds));
  }

  TestClock clock;
  NetKit kit;
  ServerEnd server;
  std::vector<std::unique_ptr<ClientEnd>> clients;

 private:
  void Wait(int milliseconds) {
    std::vector<pollfd> items;
    if (server.server) items.push_back({server.server->descriptor(), POLLIN, 0});
    for (const auto& client : clients) items.push_back({client->client->descriptor(), POLLIN, 0});
    poll(items.data(), items.size(), milliseconds);
  }
  std::uint64_t payload_bytes_;
};

inline std::shared_ptr<const Bytes> PayloadOf(std::size_t size, std::uint8_t seed = 1) {
  auto payload = std::make_shared<Bytes>(size);
  std::uint32_t state = seed;
  for (std::uint8_t& byte : *payload) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return payload;
}

inline RunId RunNumber(std::uint8_t number) {
  RunId run;
  run.bytes[0] = number;
  return run;
}

}  // namespace synod
