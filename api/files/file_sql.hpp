#pragma once
/// The statements of files. As users they see what row-level security shows; the server's own token
/// works in the default organisation.

namespace qylon::api {

#define QYLON_FILE_ORG \
  "coalesce(app.org(), case when auth.role() = 'service_role' then app.default_org() end)"

/// $1 JSON body.
inline constexpr const char* kInsertBucket =
    "insert into file_buckets (org_id, name, bytes_max, types) select " QYLON_FILE_ORG
    ", b ->> 'name', coalesce((b ->> 'bytes_max')::bigint, 104857600),"
    " array(select jsonb_array_elements_text(coalesce(b -> 'types', '[]')))"
    " from (select $1::jsonb as b) asked returning to_jsonb(file_buckets) - 'org_id'";
inline constexpr const char* kListBuckets =
    "select coalesce(jsonb_agg(to_jsonb(b) - 'org_id' || jsonb_build_object('files',"
    " (select count(*) from files f where f.bucket_id = b.id), 'bytes',"
    " (select coalesce(sum(bytes), 0) from files f where f.bucket_id = b.id)) order by name), '[]')"
    " from file_buckets b where org_id = " QYLON_FILE_ORG;
/// $1 bucket, $2 prefix, $3 the last path of the page before. At most 1,000; no row without a
/// bucket.
inline constexpr const char* kListFiles =
    "select (select coalesce(jsonb_agg(to_jsonb(f) - 'org_id' - 'bucket_id' - 'blob' order by "
    "path),"
    " '[]') from (select * from files where bucket_id = b.id and starts_with(path, $2)"
    " and path > $3 order by path limit 1000) f)"
    " from file_buckets b where b.name = $1 and b.org_id = " QYLON_FILE_ORG;
/// $1 bucket, $2 path: blob, type, id.
inline constexpr const char* kFindFile =
    "select f.blob, f.content_type, f.id from files f join file_buckets b on b.id = f.bucket_id"
    " where b.name = $1 and f.path = $2 and b.org_id = " QYLON_FILE_ORG;
inline constexpr const char* kFindFileById =
    "select blob, content_type, id from files where id = $1";
inline constexpr const char* kDeleteFile =
    "delete from files f using file_buckets b where b.id = f.bucket_id and b.name = $1"
    " and f.path = $2 and b.org_id = " QYLON_FILE_ORG " returning f.blob";
inline constexpr const char* kDeleteStaleUploads =
    "delete from file_uploads where blob in (select blob from file_uploads"
    " where updated_at < now() - interval '1 day' limit 1000) returning blob";

/// $1 bucket: id, org, bytes_max, whether $2 is a type that it takes.
inline constexpr const char* kFindBucket =
    "select id, org_id, bytes_max, cardinality(types) = 0 or split_part($2, ';', 1) = any (types)"
    " from file_buckets where name = $1 and org_id = " QYLON_FILE_ORG;
/// $1 bucket id, $2 path: blob, bytes; locked.
inline constexpr const char* kFindUpload =
    "select blob, bytes from file_uploads where bucket_id = $1 and path = $2"
    " and created_by is not distinct from auth.uid() for update";
inline constexpr const char* kInsertUpload =
    "insert into file_uploads (bucket_id, path, org_id, content_type) values ($1, $2, $3, $4)"
    " returning blob";
inline constexpr const char* kDeleteUpload = "delete from file_uploads where blob = $1";
inline constexpr const char* kMoveUpload = "update file_uploads set bytes = $2 where blob = $1";
/// $1 bucket id, $2 path: the blob that is replaced.
inline constexpr const char* kFindReplaced =
    "select blob from files where bucket_id = $1 and path = $2 for update";
/// $1 the upload's blob, $2 SHA-256.
inline constexpr const char* kInsertFile =
    "insert into files (org_id, bucket_id, path, content_type, bytes, sha256, blob)"
    " select org_id, bucket_id, path, content_type, bytes, $2, blob from file_uploads"
    " where blob = $1 on conflict (bucket_id, path) do update set"
    " content_type = excluded.content_type, bytes = excluded.bytes, sha256 = excluded.sha256,"
    " blob = excluded.blob"
    " returning to_jsonb(files) - 'org_id' - 'bucket_id' - 'blob'";

#undef QYLON_FILE_ORG

}  // namespace qylon::api
