/// Voices that people have lent to their organisation, to be recognised by (api/voices.hpp).

#include "api/domains/domains.hpp"

namespace qylon::api {

Domain voices_domain() {
  Domain domain{"voices"};
  // No events: they would keep what a person wants forgotten.
  domain.entities.push_back(
      Entity("enrolled_voices")
          .organisation()
          .organisation_by_default("coalesce(app.org(), app.default_org())")
          .hidden()
          .text("name")
          .required()
          .max(100)
          .personal()
          .text("model")
          .required()
          .max(100)
          .bytes("centroid")
          .required()
          .secret()
          .personal()
          .real("weight")
          .required()
          .text("source")
          .required()
          .one_of({"meeting", "clip"})
          .text("consent_by")
          .required()
          .max(200)
          .personal()
          .text("consent_text")
          .required()
          .max(200)
          .time("consent_at")
          .required()
          .by_default("now()")
          .time("expires_at")
          .required()
          .by_default("now() + interval '1 year'")
          .check("in_time",
                 "expires_at > consent_at and expires_at <= created_at + interval '5 years'"
                 " and consent_at <= created_at + interval '1 minute'")
          .index({"model"}));
  return domain;
}

}  // namespace qylon::api
