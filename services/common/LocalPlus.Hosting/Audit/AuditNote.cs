using System.Net;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>A member that was changed, and what it was and is, where that may be told.</summary>
public sealed record AuditChange(string Field, string? Before = null, string? After = null);

/// <summary>
/// What somebody did: the data of the events that the audit is made of. It is kept for good and can not be taken back,
/// so nothing in it names a person or holds a secret.
/// </summary>
/// <param name="Action">e.g. customer.erase: what was asked for.</param>
/// <param name="Target">The id of what it was done to.</param>
/// <param name="ActorKind">key, person (of the merchant's team) or operator.</param>
/// <param name="Actor">The key's id, the person's, or the operator's subject.</param>
/// <param name="Address">The network it came from: of an address the first 24 bits, or 48.</param>
/// <param name="RequestId">As in the answer's problem document, in logs and traces.</param>
public sealed record AuditEntry(
    string Action,
    string ActorKind,
    string Actor,
    string RequestId,
    string? Target = null,
    string? Role = null,
    string? Address = null,
    string? Reason = null,
    IReadOnlyList<AuditChange>? Changes = null
)
{
    public const string EventType = "audit.entry";

    /// <summary>Whose it is that concerns no merchant: events always say whose they are.</summary>
    public static readonly MerchantId Nobody = new(Guid.Empty);

    public const string Key = "key";
    public const string Person = "person";
    public const string Operator = "operator";
}

/// <summary>Where a service's entries go: a topic of its own, which merchant gathers.</summary>
internal sealed record AuditTopic(string Name);

/// <summary>
/// What a request leaves in the audit. It is written with the first transaction that the request commits, so what
/// happened is in the audit and what did not happen is not; of a request that writes nothing it is written when it
/// succeeds, before the answer. A repeat that is answered from the store did nothing and leaves nothing.
/// </summary>
public sealed class AuditNote
{
    private const int MaskedBitsOfIPv4 = 24;
    private const int MaskedBitsOfIPv6 = 48;
    private static readonly AsyncLocal<AuditNote?> Ambient = new();
    private readonly IServiceProvider services;
    private readonly Func<AuditNote, AuditEntry> entry;
    private readonly List<AuditChange> changes = [];
    private string? subject;
    private MerchantId? merchant;
    private bool isOver;

    private AuditNote(IServiceProvider services, Func<AuditNote, AuditEntry> entry) =>
        (this.services, this.entry) = (services, entry);

    private AuditNote(HttpContext http, string action, string? reason)
        : this(http.RequestServices, note => note.EntryOf(http, action, reason))
    {
        merchant = (http.Items[typeof(MerchantIdentity)] as MerchantIdentity)?.MerchantId;
        subject = http.Request.RouteValues["id"]?.ToString();
    }

    /// <summary>
    /// What <paramref name="act"/> does later in the name of whoever asked for it: <paramref name="told"/> is written
    /// with the first transaction that it commits, and not at all if it commits none.
    /// </summary>
    public static async Task OfAsync(IServiceProvider services, AuditEntry told, Func<Task> act)
    {
        var note = new AuditNote(services, _ => told);
        Ambient.Value = note;
        try
        {
            await act();
        }
        finally
        {
            note.End();
        }
    }

    /// <summary>What this note says, for what is done later in the same name.</summary>
    public AuditEntry Entry() => entry(this);

    /// <summary>That of the request whose code runs; null: its endpoint leaves none.</summary>
    public static AuditNote? Current => Ambient.Value is { isOver: false } note ? note : null;

    /// <summary>Whose it is: the merchant's that it was done to, who reads it too.</summary>
    public void Of(MerchantId whose) => merchant = whose;

    /// <summary>What it was done to, where the path does not say it.</summary>
    public void To(string id) => subject = id;

    /// <summary>Notes a change whose values may be told for ever; nothing when there is none.</summary>
    public void Changed(string field, string? before, string? after)
    {
        if (before != after)
        {
            changes.Add(new(field, before, after));
        }
    }

    /// <summary>Notes members that were changed to what is nobody's business.</summary>
    public void Changed(IEnumerable<string> fields) => changes.AddRange(fields.Select(field => new AuditChange(field)));

    internal static AuditNote Begin(HttpContext http, string action, string? reason)
    {
        var note = new AuditNote(http, action, reason);
        Ambient.Value = note;
        return note;
    }

    internal void End() => isOver = true;

    /// <summary>What is answered: refusals leave nothing, and what was made has its id in its place.</summary>
    internal void Answered(Answer answer)
    {
        isOver |= answer.Status >= StatusCodes.Status400BadRequest || answer.Replayed;
        subject ??= answer.Location?[(answer.Location.LastIndexOf('/') + 1)..];
    }

    /// <summary>Writes the note in the transaction that is about to commit; once.</summary>
    internal async Task WriteAsync(DbSession db)
    {
        isOver = true;
        var told = Entry();
        await db.PublishAsync(
            services.GetRequiredService<AuditTopic>().Name,
            AuditEntry.EventType,
            told.Target ?? told.Actor,
            sequence: 1,
            merchant ?? AuditEntry.Nobody,
            told
        );
    }

    /// <summary>Of a request that has committed nothing.</summary>
    internal async Task WriteAsync(CancellationToken cancel)
    {
        await using var db = await services.GetRequiredService<Database>().BeginAsync(cancel);
        await db.CommitAsync();
    }

    private AuditEntry EntryOf(HttpContext http, string action, string? reason)
    {
        var (kind, actor, role) = http.Items[typeof(MerchantIdentity)] is MerchantIdentity caller
            ? caller.Person is { } person
                ? (AuditEntry.Person, person, (string?)null)
                : (AuditEntry.Key, caller.KeyId.ToString(), null)
            : http.GetOperator() is var who
                ? (AuditEntry.Operator, who.Subject, who.Role)
                : default;
        return new(
            action,
            kind,
            actor,
            Problems.RequestId(http),
            subject ?? merchant?.ToString(),
            role,
            Masked(ClientAddress.Of(http)),
            reason,
            changes.Count == 0 ? null : changes
        );
    }

    /// <summary>The network of an address: whose line it was, and not whose desk.</summary>
    internal static string? Masked(IPAddress? address)
    {
        if (address is null)
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        var bits = bytes.Length == 4 ? MaskedBitsOfIPv4 : MaskedBitsOfIPv6;
        bytes.AsSpan(bits / 8).Clear();
        return $"{new IPAddress(bytes)}/{bits}";
    }
}
