#include "coordinator/site_book.h"

namespace synod {

SiteBook::SiteBook(const Clock& clock) : clock_(clock) {
  unseen_.since_unix = clock.UnixSeconds();
  unseen_.since_monotonic = clock.MonotonicSeconds();
}

SiteLink& SiteBook::At(const std::string& site) {
  return links_.try_emplace(site, unseen_).first->second;
}

SiteLink SiteBook::Link(const std::string& site) const {
  const auto found = links_.find(site);
  return found == links_.end() ? unseen_ : found->second;
}

void SiteBook::Opened(const std::string& site, PeerId peer, const Hello& hello) {
  SiteLink& link = At(site);
  link.peer = peer;
  link.since_unix = clock_.UnixSeconds();
  link.since_monotonic = clock_.MonotonicSeconds();
  link.last_contact_unix = link.since_unix;
  link.software_version = hello.software_version;
  link.instance = hello.instance;
  link.clock_offset_seconds = hello.unix_seconds - link.since_unix;
  link.manifest_number = hello.manifest_number;
  link.revocations_number = hello.revocations_number;
}

void SiteBook::Heard(const std::string& site) {
  At(site).last_contact_unix = clock_.UnixSeconds();
}

void SiteBook::Closed(const std::string& site, PeerId peer, const std::string& why) {
  SiteLink& link = At(site);
  link.last_close = why;
  if (link.peer != peer) return;
  link.peer.reset();
  link.last_contact_unix = clock_.UnixSeconds();
  link.since_unix = clock_.UnixSeconds();
  link.since_monotonic = clock_.MonotonicSeconds();
}

void SiteBook::TrustSent(const std::string& site, std::uint64_t manifest_number, std::uint64_t revocations_number) {
  SiteLink& link = At(site);
  link.manifest_number = manifest_number;
  link.revocations_number = revocations_number;
}

std::int64_t SiteBook::LastContactUnix(const std::string& site) const {
  const SiteLink link = Link(site);
  return link.peer ? clock_.UnixSeconds() : link.last_contact_unix;
}

double SiteBook::AbsentSeconds(const std::string& site) const {
  const SiteLink link = Link(site);
  return link.peer ? 0.0 : clock_.MonotonicSeconds() - link.since_monotonic;
}

}  // namespace synod
