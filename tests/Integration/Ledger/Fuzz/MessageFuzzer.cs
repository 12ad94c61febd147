using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Tests.Integration.Ledger.Fuzz;

/// <summary>Requests over gRPC with one or two fields, or some bits, that are not what they should be.</summary>
internal sealed class MessageFuzzer(LedgerFixture ledger, Random random)
{
    private static readonly long[] OddNumbers =
    [
        0,
        -1,
        1,
        long.MaxValue,
        long.MinValue,
        1L << 53,
        (1L << 53) - 1,
        101,
        int.MaxValue,
    ];

    private static readonly string[] OddTexts =
    [
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "\ufffd",
        "é",
        "e\u0301",
        "\u202eabc",
        new('x', 300),
        new('é', 256),
        "acc_00000000000000000000000000",
        "mrc_",
        "txn_!",
        "'; DROP TABLE accounts; --",
        "PTS:",
        "EUR",
        "Load",
    ];

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);
    private readonly List<(string Method, IMessage Request)> templates = [];
    private int count;

    public int Done { get; private set; }

    public async Task PrepareAsync()
    {
        var (merchant, until) = (
            ledger.Merchant.ToString(),
            Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1))
        );
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.FundAsync("grpc-fuzzed", 1_000_000)
        );
        var posted = await ledger.PostAsync("grpc-fuzz", clearing, card, 5_000);
        var hold = await ledger.Client.PlaceHoldAsync(ledger.HoldOf("grpc-fuzz", 5, card), ledger.Options);
        Posting Posting() =>
            new()
            {
                SourceAccountId = clearing,
                DestinationAccountId = card,
                Amount = 3,
            };
        HoldCapture Capture() => new() { DestinationAccountId = clearing, Postings = { Posting() } };
        templates.AddRange([
            (
                "OpenAccounts",
                new OpenAccountsRequest
                {
                    MerchantId = merchant,
                    Accounts =
                    {
                        new OpenAccount
                        {
                            Name = "n",
                            Asset = "EUR",
                            Floor = -3,
                            Ceiling = 9,
                        },
                    },
                }
            ),
            ("GetAccounts", new GetAccountsRequest { MerchantId = merchant, AccountIds = { card, clearing } }),
            (
                "PostTransaction",
                new PostTransactionRequest
                {
                    MerchantId = merchant,
                    Kind = "load",
                    Postings = { Posting() },
                    EffectiveAt = until,
                    Metadata = { ["a"] = "b" },
                }
            ),
            (
                "ReverseTransaction",
                new ReverseTransactionRequest
                {
                    MerchantId = merchant,
                    TransactionId = posted.Transaction.TransactionId,
                    Metadata = { ["a"] = "b" },
                    Postings =
                    {
                        new Posting
                        {
                            SourceAccountId = card,
                            DestinationAccountId = clearing,
                            Amount = 1,
                        },
                    },
                }
            ),
            (
                "PlaceHold",
                new PlaceHoldRequest
                {
                    MerchantId = merchant,
                    Reference = "r",
                    Amount = 2,
                    Sources =
                    {
                        new HoldSource { AccountId = card, MaxAmount = 9 },
                    },
                    ExpiresAt = until,
                    Capture = Capture(),
                }
            ),
            (
                "CaptureHold",
                new CaptureHoldRequest
                {
                    MerchantId = merchant,
                    HoldId = hold.Hold.HoldId,
                    Amount = 1,
                    Capture = Capture(),
                }
            ),
            ("ReleaseHold", new ReleaseHoldRequest { MerchantId = merchant, HoldId = hold.Hold.HoldId }),
            (
                "ExtendHold",
                new ExtendHoldRequest
                {
                    MerchantId = merchant,
                    HoldId = hold.Hold.HoldId,
                    ExpiresAt = until,
                }
            ),
            ("GetHold", new GetHoldRequest { MerchantId = merchant, HoldId = hold.Hold.HoldId }),
        ]);
    }

    public async Task SendOneAsync()
    {
        var (name, template) = templates[random.Next(templates.Count)];
        var request = template.Descriptor.Parser.ParseFrom(template.ToByteString());
        if (request.Descriptor.FindFieldByName("idempotency_key") is { } key)
        {
            key.Accessor.SetValue(request, $"fuzz-{++count}");
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            Spoil(request);
        }

        var bytes = request.ToByteArray();
        if (random.Next(4) == 0 && bytes.Length > 0)
        {
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        }

        var method = new Method<byte[], byte[]>(MethodType.Unary, "localplus.ledger.v1.LedgerService", name, Raw, Raw);
        try
        {
            await ledger.Invoker.AsyncUnaryCall(method, null, ledger.Options, bytes);
            Done++;
        }
        catch (RpcException refusal)
        {
            var text = $"{name} {request}: {refusal.Status}";
            Assert.True(
                refusal.Trailers.GetValue("localplus-code") is { } code
                    ? code is not ("internal_error" or "busy")
                    : !Parses(template, bytes),
                text
            );
            Assert.DoesNotContain("   at ", refusal.Status.Detail, StringComparison.Ordinal);
        }
    }

    /// <summary>What is no message never reached the ledger.</summary>
    private static bool Parses(IMessage template, byte[] bytes)
    {
        try
        {
            template.Descriptor.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private void Spoil(IMessage message)
    {
        var fields = message.Descriptor.Fields.InDeclarationOrder();
        var field = fields[random.Next(fields.Count)];
        switch (field)
        {
            case { IsMap: true }:
                var map = (Google.Protobuf.Collections.MapField<string, string>)field.Accessor.GetValue(message);
                for (var i = random.Next(60); i >= 0; i--)
                {
                    map[$"{Text()}{i}"] = Text();
                }

                break;
            case { IsRepeated: true }:
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                if (list.Count > 0 && random.Next(2) == 0)
                {
                    for (var i = random.Next(120); i > 0; i--)
                    {
                        list.Add(list[0]);
                    }
                }
                else if (list.Count > 0 && list[0] is IMessage inner)
                {
                    Spoil(inner);
                }
                else
                {
                    list.Clear();
                }

                break;
            case { FieldType: FieldType.Message }
                when field.Accessor.GetValue(message) is IMessage inner && random.Next(3) > 0:
                Spoil(inner);
                break;
            default:
                Set(message, field);
                break;
        }
    }

    private void Set(IMessage message, FieldDescriptor field)
    {
        switch (field.FieldType)
        {
            case FieldType.String:
                field.Accessor.SetValue(message, Text());
                break;
            case FieldType.Int64:
                field.Accessor.SetValue(message, OddNumbers[random.Next(OddNumbers.Length)]);
                break;
            case FieldType.Int32:
                field.Accessor.SetValue(message, (int)OddNumbers[random.Next(3)]);
                break;
            case FieldType.Bool:
                field.Accessor.SetValue(message, true);
                break;
            default:
                field.Accessor.Clear(message);
                break;
        }
    }

    private string Text() => OddTexts[random.Next(OddTexts.Length)];
}
