using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// The leaf of a transaction in the ledger's log: SHA-256 over a zero byte and the transaction's text (RFC 6962 section
/// 2.1), so that whoever holds the transaction's fields can compute it again. One field a line, postings in order.
/// </summary>
internal static class Leaf
{
    public static byte[] Hash(NewTransaction transaction)
    {
        var text = new StringBuilder(256)
            .Append("localplus-transaction-v1\n")
            .Append(transaction.TransactionId).Append('\n')
            .Append(transaction.MerchantId).Append('\n')
            .Append(transaction.Reference.ReplaceLineEndings(" ")).Append('\n')
            .Append(transaction.Kind).Append('\n')
            .Append(transaction.Reverses).Append('\n')
            .Append(transaction.HoldId).Append('\n')
            .Append(transaction.EffectiveAt.ToUnixTimeMilliseconds()).Append('\n')
            .Append(transaction.RecordedAt.ToUnixTimeMilliseconds()).Append('\n');
        foreach (var posting in transaction.Postings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{posting.Source} {posting.Destination} {posting.Amount}\n");
        }

        return SHA256.HashData([0, .. Encoding.UTF8.GetBytes(text.ToString())]);
    }
}
