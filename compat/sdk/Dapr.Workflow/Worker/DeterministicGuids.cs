using System.Security.Cryptography;
using System.Text;

namespace Dapr.Workflow.Worker;

/// <summary>Name-based GUIDs (version 5) that are the same at every replay of a run.</summary>
internal sealed class DeterministicGuids
{
    // The namespace in which the official SDK makes a GUID of an id that is none.
    private static readonly Guid InstanceIds = new("6f927a2e-9c7e-4a1d-9b8d-7a86f2e7f62f");

    private readonly string instanceId;
    private readonly Guid run;
    private int count;

    public DeterministicGuids(string? executionId, string instanceId)
    {
        this.instanceId = instanceId;
        var seed = string.IsNullOrWhiteSpace(executionId) ? instanceId : executionId;
        run = Guid.TryParse(seed, out var guid) ? guid : Version5(InstanceIds, seed);
    }

    public Guid Next() => Version5(run, $"{instanceId}_{count++}");

    /// <summary>The id of one attempt of an activity.</summary>
    public string TaskExecution(int id, string activity) =>
        Version5(run, $"{instanceId}|activity|{id}|{activity}").ToString("N");

    private static Guid Version5(Guid space, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        Span<byte> input = [.. space.ToByteArray(bigEndian: true), .. text];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 9562 makes version 5 of SHA-1; nothing here is a secret
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
