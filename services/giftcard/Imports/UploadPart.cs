using System.Security.Cryptography;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Net.Http.Headers;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// POST /v1/gift_cards/import/{id}/parts/{part}: a part of the file, at most 1 MiB and 20,000 rows, with its own head
/// if it is CSV. Parts have the numbers 1 to 1,000 and may come in any order and at once. A part is known by its number
/// and content, so it may be sent again and needs no Idempotency-Key. Refusals: not_found, import_state, part_changed
/// (another content has this number), limit_exceeded (more rows than an import may have), invalid_request.
/// </summary>
internal static class UploadPart
{
    public static IEndpointRouteBuilder MapUploadPart(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/import/{id}/parts/{part}", HandleAsync)
            .RequireScope("gift_cards:write")
            .Accepts<string>(ImportParser.Csv, ImportParser.Ndjson)
            .Refuses(Faults.ImportState, Faults.PartChanged, Faults.LimitExceeded)
            .WithName(nameof(UploadPart))
            .Produces<View>();
        return group;
    }

    /// <param name="Rows">Rows that the part has.</param>
    /// <param name="Refused">Those of them that are wrong by themselves; the check compares them with others.</param>
    internal sealed record View(JobId ImportId, int Part, int Rows, int Refused)
    {
        public string Object { get; } = "gift_card_import_part";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        int part,
        Intake intake,
        Database database,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(part is >= 1 and <= GiftcardLimits.ImportPartsMax, "part").ThrowIfAny();
        var import =
            await database.QuerySingleOrDefaultAsync<ImportRow>(
                Sql.Get,
                new { ImportId = id, http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such import.");
        var body = await ReadAsync(http.Request, cancel);
        var isCsv = MediaTypeHeaderValue
            .Parse(http.Request.ContentType)
            .MediaType.Equals(ImportParser.Csv, StringComparison.OrdinalIgnoreCase);
        var (rows, refused) = await intake.AddAsync(import, part, body, isCsv, cancel);
        return Answer.Ok(new View(id, part, rows, refused));
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        using var body = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, Ports.MaxRequestBodyBytes));
        await request.Body.CopyToAsync(body, cancel);
        return body.ToArray();
    }

    /// <summary>Reads a part and writes its rows, all in one transaction.</summary>
    internal sealed class Intake(Database database, CardSecrets secrets, TimeProvider time)
    {
        public async Task<(int Rows, int Refused)> AddAsync(
            ImportRow import,
            int part,
            byte[] body,
            bool isCsv,
            CancellationToken cancel
        )
        {
            var digest = SHA256.HashData(body);
            var columns = import.Order.Columns is null
                ? null
                : JsonSerializer.Deserialize<Dictionary<string, string>>(import.Order.Columns, StrictJson.Lenient);
            var rows = ReadRows(import, ImportParser.Read(body, isCsv, columns));
            var taken = await TakenAsync(rows, cancel);
            await using var db = await database.BeginAsync(cancel);
            // One part of an import after the other, for a moment: the sum of their rows has a limit.
            var locked = await db.QuerySingleAsync<ImportRow>(Sql.Lock, new { import.ImportId });
            if (
                await db.QuerySingleOrDefaultAsync<UploadedPart>(Sql.Part, new { import.ImportId, Part = part }) is
                { } known
            )
            {
                return known.Digest.AsSpan().SequenceEqual(digest)
                    ? (known.Rows, known.Refused)
                    : throw new FaultException(Faults.PartChanged, "The part was sent before with another content.");
            }

            if (locked.State != ImportState.Uploading)
            {
                throw new FaultException(Faults.ImportState, $"The import is {locked.State}.");
            }

            if (locked.Progress.Rows + rows.Count > GiftcardLimits.ImportRowsMax)
            {
                throw new FaultException(
                    Faults.LimitExceeded,
                    $"An import has {GiftcardLimits.ImportRowsMax} rows at most; {locked.Progress.Rows} are here."
                );
            }

            return await InsertAsync(db, import.ImportId, part, digest, rows, taken);
        }

        /// <summary>
        /// The codes that cards have already, whosever they are. A card may have been sold under a pepper that was
        /// replaced since: each row asks under all of them.
        /// </summary>
        private async Task<HashSet<string>> TakenAsync(List<ReadRow> rows, CancellationToken cancel)
        {
            // No two cards have one code, of no two merchants either.
            using var all = RowSecurity.ForAll();
            var hashes = rows.SelectMany(r => r.Hashes).ToArray();
            return (await database.QueryAsync<byte[]>(Sql.Taken, new { Hashes = hashes }, cancel))
                .Select(Convert.ToHexString)
                .ToHashSet(StringComparer.Ordinal);
        }

        private List<ReadRow> ReadRows(ImportRow import, IReadOnlyList<ImportText> texts)
        {
            var terms = new ImportTerms(
                Currency.Parse(import.Order.Currency),
                import.Order.MaxBalance,
                import.Order.Pin == "required",
                import.Order.Amounts == "major_units",
                time.GetUtcNow()
            );
            var rows = new List<ReadRow>(texts.Count);
            var before = default(string);
            foreach (var text in texts)
            {
                var line = ImportRules.Read(text, terms, before);
                before = line.Code ?? before;
                rows.Add(ToRow(line));
            }

            return rows;
        }

        private ReadRow ToRow(ImportLine line)
        {
            var card = GiftCardId.New(time);
            var personal =
                line.Fault is null && (line.Pin ?? line.Email) is not null
                    ? secrets.Seal(
                        JsonSerializer.Serialize(new ImportSecret(line.Pin, line.Email, line.Name), StrictJson.Options),
                        card
                    )
                    : null;
            var hashes = line.Code is { } code ? secrets.HashesOfCode(code) : [];
            return new(line, card, AccountId.New(time), hashes, personal);
        }

        private async Task<(int Rows, int Refused)> InsertAsync(
            DbSession db,
            JobId import,
            int part,
            byte[] digest,
            List<ReadRow> rows,
            HashSet<string> taken
        )
        {
            foreach (var row in rows)
            {
                row.Fault =
                    row.Line.Fault
                    ?? (row.Hashes.Any(hash => taken.Contains(Convert.ToHexString(hash))) ? RowFault.CodeTaken : null);
            }

            var refused = rows.Count(r => r.Fault is not null);
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    ImportId = import,
                    Part = part,
                    Lines = rows.Select(r => r.Line.Line).ToArray(),
                    Faults = rows.Select(r => r.Fault).ToArray(),
                    CodeHashes = rows.Select(r => r.Hashes.FirstOrDefault()).ToArray(),
                    LastFours = rows.Select(r => r.Line.Code is { } code ? CardCode.Last4(code) : null).ToArray(),
                    AreWeak = rows.Select(r => r.Line.IsWeak).ToArray(),
                    Amounts = rows.Select(r => r.Line.Amount).ToArray(),
                    Expiries = rows.Select(r => r.Line.ExpiresAt?.UtcDateTime).ToArray(),
                    Sealed = rows.Select(r => r.Sealed).ToArray(),
                    GiftCardIds = rows.Select(r => r.GiftCardId).ToArray(),
                    AccountIds = rows.Select(r => r.AccountId).ToArray(),
                    Digest = digest,
                    Count = rows.Count,
                    Refused = refused,
                    Now = time.GetUtcNow(),
                }
            );
            await db.CommitAsync();
            return (rows.Count, refused);
        }

        private sealed record ReadRow(
            ImportLine Line,
            GiftCardId GiftCardId,
            AccountId AccountId,
            byte[][] Hashes,
            byte[]? Sealed
        )
        {
            public string? Fault { get; set; }
        }

        private sealed record UploadedPart(byte[] Digest, int Rows, int Refused);
    }

    private static class Sql
    {
        public const string Get = $"""
            {ImportRow.Select}
             WHERE i.import_id = @ImportId
               AND i.merchant_id = @MerchantId
            """;

        public const string Lock = $"""
            {ImportRow.Select}
             WHERE i.import_id = @ImportId
               FOR NO KEY UPDATE OF i
            """;

        public const string Part = """
            SELECT digest, rows, refused
              FROM card_import_parts
             WHERE import_id = @ImportId
               AND part = @Part
            """;

        public const string Taken = "SELECT code_hash FROM gift_cards WHERE code_hash = ANY(@Hashes)";

        public const string Insert = """
            INSERT INTO card_import_parts (import_id, part, digest, rows, refused, created_at)
            VALUES (@ImportId, @Part, @Digest, @Count, @Refused, @Now);
            INSERT INTO card_import_rows (import_id, part, line, state, fault, code_hash, last4, is_weak, amount,
                   expires_at, sealed, gift_card_id, account_id)
            SELECT @ImportId, @Part, n.line, CASE WHEN n.fault IS NULL THEN 'ready' ELSE 'refused' END, n.fault,
                   n.code_hash, n.last4, n.is_weak, n.amount, n.expires_at, n.sealed, n.gift_card_id, n.account_id
              FROM unnest(@Lines, @Faults, @CodeHashes, @LastFours, @AreWeak, @Amounts, @Expiries::timestamptz[],
                          @Sealed, @GiftCardIds, @AccountIds)
                AS n (line, fault, code_hash, last4, is_weak, amount, expires_at, sealed, gift_card_id, account_id);
            UPDATE card_imports
               SET rows = rows + @Count, refused = refused + @Refused, version = version + 1, changed_at = @Now
             WHERE import_id = @ImportId
            """;
    }
}

/// <summary>What is sealed beside a row until its card is made.</summary>
internal sealed record ImportSecret(string? Pin, string? Email, string? Name);
