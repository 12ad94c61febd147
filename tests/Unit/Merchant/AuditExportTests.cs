using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Cli.Proof;
using LocalPlus.Hosting;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Unit.Merchant;

/// <summary>`localplus verify` on an export of the audit: what it accepts, and that it accepts nothing else.</summary>
public sealed class AuditExportTests : IDisposable
{
    private const string Origin = "localplus.local/audit/01890000-0000-7000-8000-000000000001";
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => key.Dispose();

    [Fact]
    public void A_whole_export_is_proved() =>
        Assert.Collection(
            AuditExport.Check(Export(3), new PublicKeys(key)),
            fact => Assert.Equal("chain: 3 entries, each linked to the one before it", fact),
            fact => Assert.StartsWith($"signature: {Origin}, head ", fact, StringComparison.Ordinal)
        );

    [Fact]
    public void An_empty_chain_is_one() =>
        Assert.Equal("chain: it is empty", AuditExport.Check(Export(0), new PublicKeys(key)).Single());

    [Fact]
    public void An_entry_that_was_changed_is_found() =>
        Refuses(
            [.. Export(3).Select(line => line.Replace("deed 2", "deed X", StringComparison.Ordinal))],
            "entry 2 does not have the hash"
        );

    [Fact]
    public void An_entry_that_was_left_out_is_found() =>
        Refuses([.. Export(3).Where((_, i) => i != 1)], "entry 2 is missing");

    [Fact]
    public void A_last_line_that_is_missing_is_found() => Refuses([.. Export(3).SkipLast(1)], "cut off");

    [Fact]
    public void An_end_that_was_cut_off_is_found() =>
        Refuses([.. Export(3).Take(2), Export(3)[^1]], "not that of these 2 entries");

    [Fact]
    public void A_history_that_was_made_anew_is_not_the_one_that_was_signed()
    {
        var signed = Export(3)[^1];
        var forged = Export(3, "another");
        var note = JsonSerializer.Deserialize<JsonElement>(signed).GetProperty("note").GetString()!;
        var own = JsonSerializer.Deserialize<JsonElement>(forged[^1]).GetProperty("note").GetString()!;
        forged[^1] = forged[^1].Replace(Quoted(own), Quoted(note), StringComparison.Ordinal);

        Refuses(forged, "what was signed is another head");
    }

    [Fact]
    public void Another_key_s_signature_proves_nothing()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var failure = Assert.Throws<ProofFailure>(() => AuditExport.Check(Export(3), new PublicKeys(other)));

        Assert.Contains("not signed by this key", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_several_keys_proves_what_one_of_them_signed()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var both = PublicKeys.Read(
            $"{other.ExportSubjectPublicKeyInfoPem()}\n{key.ExportSubjectPublicKeyInfoPem()}\n"
        );

        Assert.Equal(2, AuditExport.Check(Export(3), both).Count);
        Assert.Throws<ArgumentException>(() => PublicKeys.Read("no key at all"));
    }

    [Fact]
    public void After_a_rotation_the_next_key_signs_and_notes_of_before_are_still_known()
    {
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var old = Checkpoint.Parse(Signer(key).Sign(Origin, 3, new byte[32]))!;
        var rotated = Signer(next, key);
        var fresh = Checkpoint.Parse(rotated.Sign(Origin, 4, new byte[32]))!;

        Assert.True(rotated.HaveSigned(old));
        Assert.True(fresh.IsSignedBy(next));
        Assert.False(fresh.IsSignedBy(key));
        Assert.False(Signer(next).HaveSigned(old));
        Assert.Equal(
            key.ExportSubjectPublicKeyInfoPem(),
            Assert.Single(rotated.View("audit_key", Origin).Previous).Pem
        );
    }

    private static CheckpointKeys Signer(params ECDsa[] keys) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?>
                    {
                        ["Secrets:checkpoint_key"] = string.Join(
                            ',',
                            keys.Select(one => Convert.ToBase64String(one.ExportPkcs8PrivateKey()))
                        ),
                    }
                )
                .Build()
        );

    private void Refuses(IReadOnlyList<string> lines, string because) =>
        Assert.Contains(
            because,
            Assert.Throws<ProofFailure>(() => AuditExport.Check(lines, new PublicKeys(key))).Message,
            StringComparison.Ordinal
        );

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private List<string> Export(int count, string deed = "deed")
    {
        var signer = Signer(key);
        var (lines, hash) = (new List<string>(), new byte[32]);
        for (var position = 1; position <= count; position++)
        {
            var entry = string.Create(CultureInfo.InvariantCulture, $"{deed} {position}");
            hash = SHA256.HashData([.. hash, .. Encoding.UTF8.GetBytes(entry)]);
            lines.Add(
                JsonSerializer.Serialize(
                    new
                    {
                        @object = "audit_entry",
                        position,
                        entry,
                        hash,
                    }
                )
            );
        }

        var note = signer.Sign(Origin, count, hash);
        lines.Add(
            JsonSerializer.Serialize(
                new
                {
                    @object = "audit_head",
                    size = count,
                    hash,
                    note,
                }
            )
        );
        return lines;
    }
}
