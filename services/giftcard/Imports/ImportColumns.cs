namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Which column of a file is which field. Shops' exports are read as they are: each field has the names it is known
/// by, the first of them that is there counts, and neither case nor what separates words does. What a merchant says
/// itself (<c>columns</c>) comes before. Pure.
/// </summary>
internal static class ImportColumns
{
    public const string Code = "code";
    public const string Balance = "balance";

    private static readonly Dictionary<string, string[]> KnownAs = new(StringComparer.Ordinal)
    {
        [Code] = ["code", "giftcardcode", "cardcode", "giftcardnumber", "gan", "cardnumber", "couponcode"],
        ["pin"] = ["pin", "giftcardpin", "securitycode"],
        [Balance] = ["balance", "currentbalance", "remainingbalance", "remaining", "currentvalue", "giftcardbalance"],
        ["currency"] = ["currency", "currencycode", "balancecurrency"],
        ["expires_at"] = ["expiresat", "expireson", "expires", "expirationdate", "expirydate", "expiration", "expiry"],
        ["email"] = ["email", "customeremail", "recipientemail", "recipient"],
        ["name"] = ["name", "customername", "recipientname"],
        ["state"] = ["state", "status", "enabled", "active", "isactive"],
    };

    public static IEnumerable<string> Fields => KnownAs.Keys;

    /// <summary>The fields' places among the heads; a field that no head names is not there.</summary>
    public static IReadOnlyDictionary<string, int> Find(
        IReadOnlyList<string> heads,
        IReadOnlyDictionary<string, string>? own
    )
    {
        var plain = heads.Select(Plain).ToArray();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (field, names) in KnownAs)
        {
            var wanted = own is not null && own.TryGetValue(field, out var named) ? [Plain(named)] : names;
            var place = wanted.Select(name => Array.IndexOf(plain, name)).FirstOrDefault(at => at >= 0, -1);
            if (place >= 0)
            {
                places.Add(field, place);
            }
        }

        return places;
    }

    private static string Plain(string head) =>
        string.Concat(head.Where(char.IsLetterOrDigit).Select(char.ToLowerInvariant));
}
