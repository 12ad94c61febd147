using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Requests;

/// <summary>Keeps what services tell of requests: one statement a delivery; what comes again is there.</summary>
internal static class KeptRequests
{
    public static Task KeepAsync(DbSession db, string service, IReadOnlyList<EventEnvelope<RequestBatch>> batches)
    {
        var requests = batches.SelectMany(batch => batch.Data.Requests).ToArray();
        return db.ExecuteAsync(
            Sql.Keep,
            new
            {
                service,
                EntryIds = requests.Select(r => r.Id).ToArray(),
                MerchantIds = requests.Select(r => r.MerchantId).ToArray(),
                RequestIds = requests.Select(r => r.RequestId).ToArray(),
                Credentials = requests.Select(r => r.Credential).ToArray(),
                Methods = requests.Select(r => r.Method).ToArray(),
                Routes = requests.Select(r => r.Route).ToArray(),
                Paths = requests.Select(r => r.Path).ToArray(),
                StatusCodes = requests.Select(r => r.Status).ToArray(),
                Codes = requests.Select(r => r.Code).ToArray(),
                Durations = requests.Select(r => r.DurationMs).ToArray(),
                Bytes = requests.Select(r => r.Bytes).ToArray(),
                Addresses = requests.Select(r => r.Address).ToArray(),
                Instants = requests.Select(r => r.OccurredAt.UtcDateTime).ToArray(),
            }
        );
    }

    private static class Sql
    {
        public const string Keep = """
            INSERT INTO request_log (entry_id, merchant_id, request_id, credential, method, route, path, status, code,
                   duration_ms, bytes, address, occurred_at, service)
            SELECT *, @Service
              FROM unnest(@EntryIds::uuid[], @MerchantIds::uuid[], @RequestIds::text[], @Credentials::text[],
                          @Methods::text[], @Routes::text[], @Paths::text[], @StatusCodes::integer[], @Codes::text[],
                          @Durations::bigint[], @Bytes::bigint[], @Addresses::text[], @Instants::timestamptz[])
                ON CONFLICT DO NOTHING
            """;
    }
}
