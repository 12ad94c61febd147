using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Accounts;

/// <summary>An account to open. Floor null: unbounded; ceiling null: none.</summary>
internal sealed record AccountToOpen(AccountId Id, string Name, string Asset, long? Floor, long? Ceiling, bool Striped)
{
    /// <summary>How an asset looks, for descriptions; which currencies there are says <see cref="IsAsset"/>.</summary>
    public const string AssetPattern = "^([A-Z]{3}|PTS:[0-9a-z_]{1,40})$";

    /// <summary>Refuses what no account can be.</summary>
    public AccountToOpen Check(string field)
    {
        if (Name.Length is 0 or > LedgerLimits.NameCharacters || !Text.IsLine(Name))
        {
            throw Invalid(
                field + "/name",
                $"A name has 1 to {LedgerLimits.NameCharacters} characters, and no control characters."
            );
        }

        if (!IsAsset(Asset))
        {
            throw Invalid(field + "/asset", "An asset is a currency of ISO 4217 or PTS:programme.");
        }

        if (Floor is > 0 or <= -Money.Limit)
        {
            throw Invalid(field + "/floor", "A floor is 0 or negative, above -2^53.");
        }

        if (Ceiling is < 0 or >= Money.Limit)
        {
            throw Invalid(field + "/ceiling", "A ceiling is 0 or positive, below 2^53.");
        }

        return Striped && (Floor is not null || Ceiling is not null)
            ? throw Invalid(
                field + "/striped",
                "A striped account has no floor and no ceiling: nobody sees its sum in time."
            )
            : this;
    }

    private static bool IsAsset(string asset) =>
        Currency.TryParse(asset, out _)
        || (
            asset.StartsWith("PTS:", StringComparison.Ordinal)
            && asset.Length is > 4 and <= 44
            && asset.Skip(4).All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
        );

    private static FaultException Invalid(string pointer, string detail) =>
        new(CommonFaults.InvalidRequest, detail, new FieldError(pointer, "invalid"));
}

/// <summary>
/// Opens accounts for their owner; one of the same merchant, name and asset that exists is returned as it is, unless it
/// is somebody else's.
/// </summary>
internal static class AccountOpening
{
    public static async Task<IReadOnlyList<AccountRow>> OpenAsync(
        DbSession db,
        MerchantId merchant,
        IReadOnlyList<AccountToOpen> accounts,
        Caller caller,
        DateTimeOffset now
    )
    {
        var args = new
        {
            merchant,
            Owners = accounts.Select(a => caller.OwnerOf(a.Name)).ToArray(),
            // In the API's precision, as every time of the books: an instant that was shown finds what it was shown
            // for.
            Now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond)),
            Ids = accounts.Select(a => a.Id.Value).ToArray(),
            Names = accounts.Select(a => a.Name).ToArray(),
            Assets = accounts.Select(a => a.Asset).ToArray(),
            Floors = accounts.Select(a => a.Floor).ToArray(),
            Ceilings = accounts.Select(a => a.Ceiling).ToArray(),
            Striped = accounts.Select(a => a.Striped).ToArray(),
            LedgerLimits.Stripes,
        };
        await db.ExecuteAsync(Sql.Open, args);
        var rows = (await db.QueryAsync<AccountRow>(Sql.Find, args)).ToDictionary(row => (row.Name, row.Asset));
        return
        [
            .. accounts.Select(a =>
                Require(
                    caller,
                    rows.GetValueOrDefault((a.Name, a.Asset))
                        ?? throw new FaultException(CommonFaults.InvalidRequest, $"The id {a.Id} is another account's.")
                )
            ),
        ];
    }

    private static AccountRow Require(Caller caller, AccountRow row) =>
        row.Owner == caller.OwnerOf(row.Name)
            ? row
            : throw new FaultException(
                Faults.OwnedByService,
                $"{row.AccountId}, called '{row.Name}', belongs to {row.Owner ?? "the merchant"}."
            );

    private static class Sql
    {
        // Two statements: whose the stripes are is looked up, and the first one's rows are there for the second.
        public const string Open = """
            INSERT INTO accounts (account_id, merchant_id, name, asset, floor, ceiling, striped, owner, created_at,
                   changed_at)
            SELECT id, @Merchant, name, asset, floor, ceiling, striped, owner, @Now, @Now
              FROM unnest(@Ids, @Names, @Assets, @Floors, @Ceilings, @Striped, @Owners)
                AS a (id, name, asset, floor, ceiling, striped, owner)
             ORDER BY id
                ON CONFLICT DO NOTHING;
            INSERT INTO account_stripes (account_id, stripe, changed_at)
            SELECT a.account_id, stripe, @Now
              FROM unnest(@Ids) AS n (id)
              JOIN accounts a
                ON a.account_id = n.id
               AND a.merchant_id = @Merchant
               AND a.striped
             CROSS JOIN generate_series(1, @Stripes) AS stripe
                ON CONFLICT DO NOTHING
            """;

        public const string Find = $"""
            SELECT {AccountRow.Columns}
              FROM {AccountRow.Source}
             WHERE a.merchant_id = @Merchant
               AND (a.name, a.asset) IN (SELECT name, asset FROM unnest(@Names, @Assets) AS n (name, asset))
            """;
    }
}
