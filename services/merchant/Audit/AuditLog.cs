using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Merchant.Audit;

/// <summary>An entry as it is kept and hashed: what somebody did, where it stands, and which service told it.</summary>
internal sealed record KeptEntry(
    EventId EventId,
    long Position,
    MerchantId? MerchantId,
    string Service,
    string Action,
    string? Target,
    string ActorKind,
    string Actor,
    string? Role,
    string? Address,
    string? Reason,
    string RequestId,
    IReadOnlyList<AuditChange>? Changes,
    DateTimeOffset OccurredAt
)
{
    /// <summary>Its text: canonical, so that there is one.</summary>
    public string ToText()
    {
        var text = new ArrayBufferWriter<byte>();
        new CanonicalJson(text).Value(JsonSerializer.SerializeToElement(this, StrictJson.Options));
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    public static KeptEntry Read(string text) => JsonSerializer.Deserialize<KeptEntry>(text, StrictJson.Lenient)!;
}

/// <summary>Appends to the chains, and says how they are linked.</summary>
internal static class AuditLog
{
    /// <summary>The chain of what concerns no merchant.</summary>
    public static readonly Guid Platform = Guid.Empty;

    private static readonly byte[] Beginning = new byte[SHA256.HashSizeInBytes];

    public static Guid ChainOf(MerchantId? merchant) => merchant?.Value ?? Platform;

    /// <summary>The hash of an entry behind another.</summary>
    public static byte[] Link(byte[] previous, string entry) =>
        SHA256.HashData((byte[])[.. previous, .. Encoding.UTF8.GetBytes(entry)]);

    /// <summary>
    /// Appends what a service tells, each to the chain of its merchant, in the order of its coming, and signs how far
    /// the chain goes now.
    /// </summary>
    public static async Task AppendAsync(
        DbSession db,
        AuditSigner signer,
        string service,
        IReadOnlyList<EventEnvelope<AuditEntry>> events
    )
    {
        // In one order by everybody, so that nobody waits in a circle.
        foreach (var chain in events.GroupBy(e => ChainOf(e.MerchantId)).OrderBy(chain => chain.Key))
        {
            await db.ExecuteAsync(Sql.Begin, new { Chain = chain.Key, Hash = Beginning });
            var head = await db.QuerySingleAsync<Head>(Sql.Lock, new { Chain = chain.Key });
            foreach (var e in chain)
            {
                head = await AppendAsync(db, chain.Key, head, service, e);
            }

            await db.ExecuteAsync(
                Sql.Advance,
                new
                {
                    Chain = chain.Key,
                    head.Size,
                    head.Hash,
                }
            );
            await SignAsync(db, signer, chain.Key, head);
        }
    }

    private static async Task SignAsync(DbSession db, AuditSigner signer, Guid chain, Head head)
    {
        var note = signer.Sign(chain, head);
        await db.ExecuteAsync(
            Sql.Sign,
            new
            {
                Chain = chain,
                head.Size,
                head.Hash,
                Note = note,
            }
        );
        var origin = signer.OriginOf(chain);
        await db.PublishAsync(
            AuditCheckpointSigned.Topic,
            AuditCheckpointSigned.Type,
            origin,
            head.Size,
            chain == Platform ? null : new MerchantId(chain),
            new AuditCheckpointSigned(origin, head.Size, head.Hash, note)
        );
    }

    private static async Task<Head> AppendAsync(
        DbSession db,
        Guid chain,
        Head head,
        string service,
        EventEnvelope<AuditEntry> e
    )
    {
        var entry = new KeptEntry(
            e.Id,
            head.Size + 1,
            e.MerchantId == AuditEntry.Nobody ? null : e.MerchantId,
            service,
            e.Data.Action,
            e.Data.Target,
            e.Data.ActorKind,
            e.Data.Actor,
            e.Data.Role,
            e.Data.Address,
            e.Data.Reason,
            e.Data.RequestId,
            e.Data.Changes,
            e.OccurredAt
        );
        var text = entry.ToText();
        var next = new Head(entry.Position, Link(head.Hash, text));
        await db.ExecuteAsync(
            Sql.Append,
            new
            {
                Chain = chain,
                entry.Position,
                entry.EventId,
                Entry = text,
                next.Hash,
                entry.Action,
                entry.Target,
                entry.Actor,
                entry.OccurredAt,
            }
        );
        return next;
    }

    /// <summary>How far a chain goes.</summary>
    internal sealed record Head(long Size, byte[] Hash)
    {
        public static readonly Head None = new(0, Beginning);
    }

    internal static class Sql
    {
        public const string Begin = """
            INSERT INTO audit_chains (chain, size, hash)
            VALUES (@Chain, 0, @Hash)
                ON CONFLICT (chain) DO NOTHING
            """;

        // One writer a chain: it has no branches.
        public const string Lock = """
            SELECT size, hash
              FROM audit_chains
             WHERE chain = @Chain
               FOR UPDATE
            """;

        public const string Head = """
            SELECT size, hash
              FROM audit_chains
             WHERE chain = @Chain
            """;

        public const string Append = """
            INSERT INTO audit_entries (chain, position, event_id, entry, hash, action, target, actor, occurred_at)
            VALUES (@Chain, @Position, @EventId, @Entry, @Hash, @Action, @Target, @Actor, @OccurredAt)
            """;

        public const string Advance = """
            UPDATE audit_chains
               SET size = @Size, hash = @Hash
             WHERE chain = @Chain
            """;

        public const string Sign = """
            INSERT INTO audit_checkpoints (chain, size, hash, note)
            VALUES (@Chain, @Size, @Hash, @Note)
            """;

        /// <summary>What was signed of a chain that lies behind one size, and not behind another.</summary>
        public const string Signed = """
            SELECT size, hash, note, signed_at
              FROM audit_checkpoints
             WHERE chain = @Chain
               AND size > @After
               AND size <= @Until
             ORDER BY size
            """;

        public const string LastSigned = """
            SELECT size, hash, note, signed_at
              FROM audit_checkpoints
             WHERE chain = @Chain
             ORDER BY size DESC
             LIMIT 1
            """;

        public const string After = """
            SELECT position, event_id, entry, hash, action, target, actor, occurred_at
              FROM audit_entries
             WHERE chain = @Chain
               AND position > @After
             ORDER BY position
             LIMIT @Take
            """;
    }
}

/// <summary>A row of audit_entries.</summary>
internal sealed record AuditRow(
    long Position,
    EventId EventId,
    string Entry,
    byte[] Hash,
    string Action,
    string? Target,
    string Actor,
    DateTimeOffset OccurredAt
);
