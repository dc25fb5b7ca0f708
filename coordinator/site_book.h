// What the coordinator knows of its sites' links: who is connected since when, when it was last heard of, and why its
// last link closed. In memory alone: a restarted coordinator learns it anew.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/core/clock.h"
#include "common/net/link_events.h"

namespace synod {

// Drawn when a process starts (Hello): tells a site that came back from one that was started again.
using ProcessInstance = std::array<std::uint8_t, 16>;

struct SiteLink {
  std::optional<PeerId> peer;          // nothing: not connected
  std::int64_t since_unix = 0;         // connected or not connected since
  double since_monotonic = 0.0;        // the same on the clock that never goes back
  std::int64_t last_contact_unix = 0;  // last message; 0: never seen by this process
  std::string software_version;
  ProcessInstance instance{};             // of the process that connected
  std::int64_t clock_offset_seconds = 0;  // the site's clock less ours, when it connected
  std::uint64_t manifest_number = 0;      // of what the site is known to have
  std::uint64_t revocations_number = 0;
  std::string last_close;  // why the last link closed, or was refused; empty: none was
};

class SiteBook {
 public:
  explicit SiteBook(const Clock& clock);

  void Opened(const std::string& site, PeerId peer, const Hello& hello);
  void Heard(const std::string& site);
  // Of any link with this identity; another link of the same site may still be open (a second process was refused).
  void Closed(const std::string& site, PeerId peer, const std::string& why);
  void TrustSent(const std::string& site, std::uint64_t manifest_number, std::uint64_t revocations_number);

  bool connected(const std::string& site) const { return Link(site).peer.has_value(); }
  // Of a site that was never seen: not connected since this book was made.
  SiteLink Link(const std::string& site) const;
  // Now for a connected site: its heartbeats are heard. 0: never heard of by this process.
  std::int64_t LastContactUnix(const std::string& site) const;
  double AbsentSeconds(const std::string& site) const;  // 0 while connected

 private:
  SiteLink& At(const std::string& site);
  const Clock& clock_;
  SiteLink unseen_;
  std::map<std::string, SiteLink> links_;
};

}  // namespace synod
