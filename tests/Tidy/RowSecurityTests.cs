using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>
/// Who works for more than one merchant, or takes connections that say nothing of themselves, is known (ADR 0058). A
/// new place is a decision for review: whoever reads there has the first lock alone.
/// </summary>
public partial class RowSecurityTests
{
    /// <summary>What works for all merchants, and why.</summary>
    private static readonly Dictionary<string, string> ForAll = new(StringComparer.Ordinal)
    {
        ["services/common/LocalPlus.Hosting/Caching/Caches.cs"] = "what is read is for whoever asks next",
        ["services/common/LocalPlus.Hosting/Data/GroupCommit.cs"] = "one transaction for many",
        ["services/giftcard/Cards/CardFinder.cs"] = "tries of the PIN of a card that its issuer counts",
        ["services/giftcard/Imports/UploadPart.cs"] = "no two merchants' cards have one code",
        ["services/giftcard/Ledger/LedgerAccounts.cs"] = "accounts in an issuer's books, remembered for all",
        ["services/common/LocalPlus.Hosting/Data/SharedCalls.cs"] = "one question for many",
        ["services/ledger/Commit/BatchWriter.cs"] = "one transaction for many",
        ["services/wallet/Keys/PiiVersions.cs"] = "which key was in use before keys had versions",
    };

    /// <summary>Endpoints that work on what is another merchant's by consent, and how many there are.</summary>
    private static readonly Dictionary<string, int> AcrossMerchants = new(StringComparer.Ordinal)
    {
        // Another merchant's offer.
        ["services/giftcard/Programs/DecideAcceptance.cs"] = 1,
        ["services/giftcard/Programs/ReadAcceptances.cs"] = 2,
        ["services/wallet/Programs/DecidePartnership.cs"] = 1,
        ["services/wallet/Programs/Partnership.cs"] = 1,
        // Value goes back to another merchant's card; what a till took from one while it was offline.
        ["services/giftcard/Offline/UploadBatch.cs"] = 1,
        ["services/giftcard/Redemptions/RefundRedemption.cs"] = 1,
        // Members and points of another merchant's programme.
        ["services/wallet/Earnings/QuoteEarning.cs"] = 1,
        ["services/wallet/Earnings/ReadEarnings.cs"] = 1,
        ["services/wallet/Earnings/RefundEarning.cs"] = 1,
        ["services/wallet/Members/EnrolMember.cs"] = 1,
        ["services/wallet/Members/ReadMembers.cs"] = 2,
        ["services/wallet/Points/GetBalance.cs"] = 1,
        ["services/wallet/Points/ListHistory.cs"] = 1,
        ["services/wallet/Points/ListLots.cs"] = 1,
        ["services/wallet/Rewards/BuyReward.cs"] = 1,
        ["services/wallet/Rewards/UseVoucher.cs"] = 1,
    };

    /// <summary>Connections around <c>Database</c>: what is read there that is a merchant's, if anything.</summary>
    private static readonly Dictionary<string, string> Untold = new(StringComparer.Ordinal)
    {
        ["services/common/LocalPlus.Hosting/Data/Database.cs"] = "tells",
        ["services/common/LocalPlus.Hosting/Events/OutboxRelay.cs"] = "the outbox, which has no lock",
        ["services/ledger/Audit/BalanceAudit.cs"] = "tells",
        ["services/ledger/Audit/LogAudit.cs"] = "tells",
        ["services/ledger/Commit/BatchWriter.cs"] = "tells",
    };

    [Fact]
    public void Who_works_for_all_merchants_is_known() => Knows(ForAll.Keys, Calls(SaysAll()).Keys);

    [Fact]
    public void Which_endpoints_work_across_merchants_is_known() =>
        Assert.Equal(
            AcrossMerchants.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            Calls(SaysAcross()).OrderBy(pair => pair.Key, StringComparer.Ordinal)
        );

    [Fact]
    public void Who_takes_connections_around_the_database_is_known() => Knows(Untold.Keys, Calls(Opens()).Keys);

    private static void Knows(IEnumerable<string> known, IEnumerable<string> found) =>
        Assert.Equal(known.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));

    private static Dictionary<string, int> Calls(Regex of) =>
        Tree.Code("services")
            .Select(file => (File: file, Count: of.Count(Tree.Read(file))))
            .Where(found => found.Count > 0)
            .ToDictionary(found => found.File, found => found.Count, StringComparer.Ordinal);

    [GeneratedRegex(@"\bRowSecurity\.ForAll\(")]
    private static partial Regex SaysAll();

    [GeneratedRegex(@"\.WorksAcrossMerchants\(\)")]
    private static partial Regex SaysAcross();

    [GeneratedRegex(@"\.OpenConnection(?:Async)?\(")]
    private static partial Regex Opens();
}
