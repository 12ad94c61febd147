using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;
using LocalPlus.Wallet.Programs;
using Npgsql;

namespace LocalPlus.Wallet.Members;

/// <summary>
/// POST /v1/members: a person joins a programme, at the till by e-mail or telephone (of which only keyed hashes are
/// kept), by a number that was printed before, or as a customer. Also at a partner's till. Refusals: not_found (the
/// programme), member_exists (with the member's id), program_state, invalid_request.
/// </summary>
internal static class EnrolMember
{
    /// <param name="CardNumber">One that was printed; absent: a new one is made.</param>
    /// <param name="CustomerId">The issuer's customer; a partner names none.</param>
    internal sealed record Request(
        ProgramId ProgramId,
        string? Email = null,
        string? Phone = null,
        string? CardNumber = null,
        CustomerId? CustomerId = null,
        int? BirthMonth = null
    );

    public static IEndpointRouteBuilder MapEnrolMember(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members", HandleAsync)
            .RequireScope("members:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.NotFound, Faults.MemberExists, Faults.ProgramState)
            .WithName(nameof(EnrolMember))
            .Produces<MemberView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        PiiVersions versions,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Email(request.Email, "/email")
            .Phone(request.Phone, "/phone")
            .Card(request.CardNumber, "/card_number")
            .Require(request.BirthMonth is null or (>= 1 and <= 12), "/birth_month")
            .ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            db => AddAsync(db, database, http.GetMerchant(), request, versions, time),
            cancel
        );
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        Database database,
        MerchantIdentity merchant,
        Request request,
        PiiVersions versions,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var program = await LoyaltyPrograms.TakenPartInAsync(db, merchant, request.ProgramId, now);
        if (program.State != LoyaltyProgramRow.Active)
        {
            throw new FaultException(Faults.ProgramState, "The programme is closed.");
        }

        var version = await versions.ForWritingAsync(db);
        var email = version.Email(program.MerchantId, request.Email);
        var phone = version.Phone(program.MerchantId, request.Phone);
        await Lookups.BringAsync(db, program.MerchantId, email, phone);
        var customer = await CustomerAsync(db, merchant, program, request.CustomerId);
        var id = MemberId.New(time);
        var args = new
        {
            MemberId = id,
            request.ProgramId,
            program.MerchantId,
            EnrolledBy = merchant.MerchantId,
            CardNumber = request.CardNumber is { } typed ? MemberCard.Parse(typed) : MemberCard.New(),
            CustomerId = customer,
            EmailLookup = email?.Newest,
            PhoneLookup = phone?.Newest,
            BirthMonth = (short?)request.BirthMonth,
            CreatedAt = now,
        };
        try
        {
            await db.ExecuteAsync(Sql.Insert, args);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The transaction reads nothing any more, and what it brought to the newest version is back. Another one
            // looks whose it is.
            throw await ExistsAsync(
                database,
                new
                {
                    args.ProgramId,
                    args.CardNumber,
                    EmailLookups = email?.All ?? [],
                    PhoneLookups = phone?.All ?? [],
                    args.CustomerId,
                },
                db.Cancel
            );
        }

        var member = await db.QuerySingleAsync<MemberRow>(MemberStore.Sql.Get, new { MemberId = id });
        await MemberEvents.PublishAsync(db, MemberEvents.Enrolled, member);
        return Answer.Created($"/v1/members/{id}", member.ToView(), member.Version);
    }

    /// <summary>The customer that the id leads to; it is neither merged nor forgotten meanwhile.</summary>
    private static async Task<CustomerId?> CustomerAsync(
        DbSession db,
        MerchantIdentity merchant,
        LoyaltyProgramRow program,
        CustomerId? customer
    )
    {
        if (customer is null)
        {
            return null;
        }

        var args = new { CustomerId = customer, merchant.MerchantId };
        return
            merchant.MerchantId == program.MerchantId
            && await db.QuerySingleOrDefaultAsync<CustomerId?>(Sql.Customer, args) is { } known
            ? known
            : throw Faults.Invalid("/customer_id", "There is no such customer of this merchant.");
    }

    private static async Task<FaultException> ExistsAsync(Database database, object args, CancellationToken cancel)
    {
        var id = await database.QuerySingleOrDefaultAsync<MemberId?>(Sql.Holder, args, cancel);
        return id is { } member
            ? new(Faults.MemberExists, $"The person is {member}.")
            {
                Extensions = new Dictionary<string, object?> { ["member_id"] = member },
            }
            : new(Faults.MemberExists, "The person was enrolled by another request.");
    }

    private static class Sql
    {
        public const string Customer = """
            SELECT t.customer_id
              FROM customers c
              JOIN customers t ON t.customer_id = coalesce(c.merged_into, c.customer_id)
              JOIN subject_keys k ON k.customer_id = t.customer_id
             WHERE c.customer_id = @CustomerId
               AND c.merchant_id = @MerchantId
               FOR KEY SHARE OF c, t
            """;

        public const string Insert = """
            INSERT INTO members (member_id, program_id, merchant_id, enrolled_by, card_number, customer_id,
                   email_lookup, phone_lookup, birth_month, state, version, created_at)
            VALUES (@MemberId, @ProgramId, @MerchantId, @EnrolledBy, @CardNumber, @CustomerId,
                   @EmailLookup, @PhoneLookup, @BirthMonth, 'active', 1, @CreatedAt)
            """;

        public const string Holder = """
            SELECT member_id
              FROM members
             WHERE program_id = @ProgramId
               AND (card_number = @CardNumber
                    OR email_lookup = ANY(@EmailLookups)
                    OR phone_lookup = ANY(@PhoneLookups)
                    OR customer_id = @CustomerId)
             ORDER BY member_id
             LIMIT 1
            """;
    }
}
