using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Keys;

/// <summary>
/// Brings what was stored under an older version to the newest before the same is written: one person, one row, also
/// while a key is replaced. What customers and members have of one address is of one version at any time, so each is
/// found by the other's.
/// </summary>
internal static class Lookups
{
    /// <summary>
    /// Of a merchant's customer and members with this address, and its members with this telephone; under
    /// <see cref="PiiVersions.ForWritingAsync"/>, and before customers and members are locked for something else.
    /// </summary>
    public static async Task BringAsync(DbSession db, MerchantId merchant, Lookup? email, Lookup? phone)
    {
        var args = new
        {
            MerchantId = merchant,
            Email = email?.Newest,
            Phone = phone?.Newest,
            Emails = email?.Before ?? [],
            Phones = phone?.Before ?? [],
            MemberIds = Array.Empty<MemberId>(),
        };
        if (args.Emails.Length + args.Phones.Length == 0)
        {
            return;
        }

        await db.ExecuteAsync(Sql.BringCustomer, args);
        // What is merged meanwhile goes to another member, which is looked for again.
        while (await db.QueryAsync<MemberId>(Sql.Members, args) is { Count: > 0 } members)
        {
            await db.ExecuteAsync(
                Sql.BringMembers,
                new
                {
                    args.Email,
                    args.Phone,
                    args.Emails,
                    args.Phones,
                    MemberIds = members.ToArray(),
                }
            );
        }
    }

    private static class Sql
    {
        public const string BringCustomer = """
            UPDATE customers
               SET email_lookup = @Email
             WHERE merchant_id = @MerchantId
               AND email_lookup = ANY(@Emails)
            """;

        public const string Members = """
            SELECT m.member_id
              FROM loyalty_programs p
              JOIN members m
                ON m.program_id = p.program_id
             WHERE p.merchant_id = @MerchantId
               AND (m.email_lookup = ANY(@Emails) OR m.phone_lookup = ANY(@Phones))
            """;

        // In one order by everybody.
        public const string BringMembers = """
            UPDATE members m
               SET email_lookup = CASE WHEN m.email_lookup = ANY(@Emails) THEN @Email ELSE m.email_lookup END,
                   phone_lookup = CASE WHEN m.phone_lookup = ANY(@Phones) THEN @Phone ELSE m.phone_lookup END
              FROM (SELECT member_id
                      FROM members
                     WHERE member_id = ANY(@MemberIds)
                     ORDER BY member_id
                       FOR UPDATE) l
             WHERE m.member_id = l.member_id
               AND (m.email_lookup = ANY(@Emails) OR m.phone_lookup = ANY(@Phones))
            """;
    }
}
